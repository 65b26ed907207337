"""PSFormer as the paper writes it: loops over single patches, float64, numpy for storage alone. Imports nothing of the package.

Every function takes ``change``: the name of one altered term, which the tests use to show that they would notice it.
Weights are a mapping from the model's parameter names to float64 arrays.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Weights = Mapping[str, Array]
PATCH = 16


# ---- layers ------------------------------------------------------------


def dense(x: Array, W: Array, b: Array | None) -> Array:
    out = np.zeros(len(W))
    for i in range(len(W)):
        out[i] = float(np.dot(W[i], x)) + (0.0 if b is None else float(b[i]))
    return out


def linear(x: Array, weights: Weights, name: str) -> Array:
    return dense(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))


def gelu(x: Array) -> Array:
    return np.array([0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in x])


def relu(x: Array) -> Array:
    return np.array([max(0.0, v) for v in x])


def mlp(x: Array, weights: Weights, name: str, layers: int, act: Any) -> Array:
    for layer in range(layers):
        x = linear(x, weights, f"{name}.{2 * layer}")
        if layer < layers - 1:
            x = act(x)
    return x


def layer_norm(x: Array, weights: Weights, name: str) -> Array:
    mean = sum(x) / len(x)
    var = sum((v - mean) ** 2 for v in x) / len(x)
    return (x - mean) / math.sqrt(var + 1e-6) * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def softmax(scores: list[float]) -> list[float]:
    top = max(scores)
    raised = [math.exp(s - top) for s in scores]
    return [r / sum(raised) for r in raised]


def block(tokens: list[Array], weights: Weights, name: str, heads: int) -> list[Array]:
    """Multi-head self-attention and MLP of a ViT (Dosovitskiy et al., Eq. 2 and 3)."""
    D = len(tokens[0])
    d = D // heads
    qkv = [linear(layer_norm(x, weights, f"{name}.norm1"), weights, f"{name}.attn.qkv") for x in tokens]
    after = []
    for x, own in zip(tokens, qkv, strict=True):
        mixed = np.zeros(D)
        for h in range(heads):
            at = slice(h * d, (h + 1) * d)
            scores = [float(np.dot(own[:D][at], other[D : 2 * D][at])) / math.sqrt(d) for other in qkv]
            for share, other in zip(softmax(scores), qkv, strict=True):
                mixed[at] += share * other[2 * D :][at]
        x = x + linear(mixed, weights, f"{name}.attn.proj")
        hidden = gelu(linear(layer_norm(x, weights, f"{name}.norm2"), weights, f"{name}.mlp.fc1"))
        after.append(x + linear(hidden, weights, f"{name}.mlp.fc2"))
    return after


# ---- Section III ------------------------------------------------------------


def patches(image: Array) -> list[Array]:
    """Section III-B: an image [c, H, W] as patches of c x 256 numbers, row by row."""
    c, H, W = image.shape
    found = []
    for i in range(H // PATCH):
        for j in range(W // PATCH):
            patch = []
            for channel in range(c):
                for y in range(PATCH):
                    for x in range(PATCH):
                        patch.append(image[channel, PATCH * i + y, PATCH * j + x])
            found.append(np.array(patch))
    return found


def laplacian(F: Array, change: str = "") -> Array:
    """Section III-C, with negative affinities at 0."""
    N = len(F)
    A = np.zeros((N, N))
    for i in range(N):
        for j in range(N):
            A[i, j] = max(0.0, float(np.dot(F[i], F[j])))
            if change == "negative affinities as they are":
                A[i, j] = abs(float(np.dot(F[i], F[j])))
    D = np.zeros((N, N))
    for i in range(N):
        for j in range(N):
            D[i, i] += A[i, j]
    L = np.zeros((N, N))
    for i in range(N):
        for j in range(N):
            L[i, j] = (D[i, j] - A[i, j]) / math.sqrt(D[i, i] * D[j, j])
            if change == "L without D^-1/2":
                L[i, j] = D[i, j] - A[i, j]
    return L


def indicator(F: Array, h: int, w: int, change: str = "") -> Array:
    """y_1 with length sqrt(N); larger in the middle of the grid than on its rim."""
    N = len(F)
    values, vectors = np.linalg.eigh(laplacian(F, change))
    y = vectors[:, np.argsort(values)[2 if change == "y_2" else 1]] * math.sqrt(N)
    middle, rim = [], []
    for i in range(h):
        for j in range(w):
            inside = abs((i + 0.5) / h - 0.5) <= 3 / 8 and abs((j + 0.5) / w - 0.5) <= 1 / 4
            (middle if inside else rim).append(y[i * w + j])
    difference = sum(middle) / len(middle) - sum(rim) / len(rim) if rim and middle else sum(middle or [-v for v in rim])
    return -y if (difference < 0) != (change == "the other sign") else y


# ---- Section IV-B ------------------------------------------------------------


def eq_1(s: float, change: str = "") -> float:
    factor = 1.0 if change == "1.0 sigma" else 1.2
    shift = 0.0 if change == "no shift" else 0.1
    return max(0.0, min(1.0, factor / (1 + math.exp(-s)) - shift))


def volume(frames: Array, weights: Weights, name: str) -> Array:
    """The 3D CNN: F [T, h, w, C] of frames [T, 3, H, W]."""
    x = frames.transpose(1, 0, 2, 3)
    for layer, (stride, pad) in enumerate(((4, 0), (2, 1), (2, 1), (1, 1))):
        W, b = weights[f"{name}.{layer}.weight"], weights[f"{name}.{layer}.bias"]
        if layer:
            x = np.maximum(x, 0.0)
        padded = np.pad(x, ((0, 0), (1, 1), (pad, pad), (pad, pad)))
        out, _, kt, kh, kw = W.shape
        _, T, H, V = padded.shape
        y = np.zeros((out, T - kt + 1, (H - kh) // stride + 1, (V - kw) // stride + 1))
        for o, t, i, j in np.ndindex(*y.shape):
            part = padded[:, t : t + kt, stride * i : stride * i + kh, stride * j : stride * j + kw]
            y[o, t, i, j] = float((part * W[o]).sum()) + b[o]
        x = y
    return x.transpose(1, 2, 3, 0)


def luma(patch: Array) -> list[int]:
    """Luma of a patch of bytes [768]."""
    return [(77 * int(patch[k]) + 150 * int(patch[256 + k]) + 29 * int(patch[512 + k])) >> 8 for k in range(256)]


def select(clip: Mapping[str, Array], weights: Weights, change: str = "", empty: str = "mean") -> tuple[Array, Array]:
    """Algorithm 1 for one clip: the scores and the selected patches, [T-1, N] each.

    Args:
        clip: bytes [T, 3, H, W], pixels (normalised) of the same shape, residual [T-1, 3, H, W] (normalised).
        weights: of the selection.
        change: an altered term.
        empty: R while nothing is selected.
    """
    T, _, H, W = clip["bytes"].shape
    h, w = H // PATCH, W // PATCH
    N = h * w
    F = volume(clip["pixels"], weights, "volume.layers")
    scores, mask = np.zeros((T - 1, N)), np.zeros((T - 1, N), dtype=bool)
    chosen: list[tuple[Array, Array]] = []  # S: bytes and normalised pixels
    for t in range(1, T):
        novelty = patches(clip["residual"][t - 1])
        F_t = F[t].reshape(N, -1)
        y = indicator(F_t, h, w, change)
        own_bytes, own_pixels = patches(clip["bytes"][t]), patches(clip["pixels"][t])
        new = []
        for n in range(N):
            N_t = novelty[n]
            S_t = F_t[n] if change == "S without y_1" else F_t[n] * y[n]
            best, R_t = None, own_pixels[n]
            if empty == "zero" and not chosen:
                R_t = np.zeros(768)
            for other_bytes, other_pixels in chosen:
                distance = sum(abs(a - b) for a, b in zip(luma(own_bytes[n]), luma(other_bytes), strict=True))
                if change == "the farthest patch":
                    distance = -distance
                if best is None or distance < best:
                    best, R_t = distance, own_pixels[n] - other_pixels
            if change == "no R":
                R_t = np.zeros(768)
            if change == "no N":
                N_t = np.zeros(768)
            scores[t - 1, n] = mlp(np.concatenate([N_t, S_t, R_t]), weights, "score", 3, relu)[0]
            mask[t - 1, n] = scores[t - 1, n] > 0
            if mask[t - 1, n]:
                new.append((own_bytes[n], own_pixels[n]))
        chosen = new if change == "the last frame's patches alone" else chosen + new
    return scores, mask


# ---- Section IV-C ------------------------------------------------------------


def eq_3(now: Array, before: Array, weights: Weights, change: str = "") -> Array:
    pair = [before, now] if change == "Eq. 3 in the other order" else [now, before]
    return mlp(np.concatenate(pair), weights, "global_warp.W_ev", 2, gelu)


def eq_4(E: Array, before: Array, weights: Weights, change: str = "") -> Array:
    pair = [before, E] if change == "Eq. 4 in the other order" else [E, before]
    return mlp(np.concatenate(pair), weights, "global_warp.W_gw", 2, gelu)


def cosine_distance(a: Array, b: Array) -> float:
    return 1 - float(np.dot(a, b)) / (math.sqrt(float(np.dot(a, a))) * math.sqrt(float(np.dot(b, b))))


def eq_5(now: Array, before: Array, image_now: Array, image_before: Array, weights: Weights, change: str = "") -> float:
    E = eq_3(now, before, weights)
    start = image_now if change == "Eq. 5 from this layer's context" else image_before
    return cosine_distance(eq_4(E, start, weights), before if change == "Eq. 5 against the P-frame" else image_now)


def warped_patch(source: Array, residual: Array, weights: Weights, change: str = "") -> Array:
    """W_pw(I || R)."""
    if change == "no residual":
        residual = np.zeros_like(residual)
    return mlp(np.concatenate([source, residual]), weights, "patch_warp.W_pw", 3, gelu)


def eq_2(pseudo: Array, image: list[Array], weights: Weights, change: str = "") -> Array:
    q = linear(pseudo, weights, "patch_warp.W_q")
    keys = [linear(i, weights, "patch_warp.W_k") for i in image]
    scale = 1.0 if change == "no sqrt(d_k)" else math.sqrt(len(q))
    shares = softmax([float(np.dot(q, k)) / scale for k in keys])
    out = np.zeros(len(q))
    for share, i in zip(shares, image, strict=True):
        out += share * (i if change == "no W_v" else linear(i, weights, "patch_warp.W_v"))
    return out


def eq_6(c: list[float], change: str = "") -> float:
    total, S = 0.0, len(c)
    for i in range(S - 1):
        for j in range(i + 1, S):
            first, second = (c[j], c[i]) if change == "the other order" else (c[i], c[j])
            total += max(0.0, first - second)
            if change == "neighbours alone":
                break
    return total


def noisy_distance(now: Array, before: Array, alpha: float, noise: Array, weights: Weights, change: str = "") -> float:
    """c of Eq. 6: the rebuilt context against the actual one."""
    share = 1.0 if change == "the context at full weight" else 1 - alpha
    noisy = share * now + alpha * noise
    E = eq_3(noisy, before, weights)
    rebuilt = eq_4(E, noisy if change == "warped from the noisy context" else before, weights)
    return cosine_distance(noisy if change == "the noisy context's distance" else rebuilt, now)


def mean(vectors: list[Array]) -> Array:
    return sum(vectors) / len(vectors)  # type: ignore[return-value]


def encode(
    clip: Mapping[str, Array],
    mask: Array,
    weights: Weights,
    *,
    depth: int,
    heads: int,
    local: tuple[int, int],
    threshold: float,
    context_of: str = "refined",
    present: Array | None = None,
    change: str = "",
) -> tuple[Array, Array]:
    """Algorithm 2 for one clip, all layers and the final average: the feature [D] and the open gates [depth, T-1].

    Args:
        clip: as of `select`, and source [T-1, N].
        mask: the selected patches [T-1, N].
        weights: of the encoder.
        depth: layers.
        heads: of attention.
        local: grid of local tokens.
        threshold: s.
        context_of: which pseudo features an open frame's context averages.
        present: the selected patches of the I-frame [N] (Table V, without the whole I-frame); None: all. Where an absent one is
            pointed to, the mean of the others stands for it.
        change: an altered term.
    """
    T, _, H, W = clip["pixels"].shape
    h, w = H // PATCH, W // PATCH
    N = h * w
    projection = weights["backbone.patch_embed.proj.weight"].reshape(-1, 768)
    bias, positions = weights["backbone.patch_embed.proj.bias"], weights["backbone.pos_embed"][0]
    embedded = [[dense(p, projection, bias) for p in patches(clip["pixels"][t])] for t in range(T)]
    residual = [patches(clip["residual"][t]) for t in range(T - 1)]
    before_image, before = mean(embedded[0]), [mean(embedded[t]) for t in range(1, T)]
    there = [n for n in range(N) if present is None or present[n]]
    image = {n: embedded[0][n] + positions[n] for n in there}
    tokens = [{n: embedded[t][n] + positions[n] for n in range(N) if mask[t - 1, n]} for t in range(1, T)]
    opened = np.zeros((depth, T - 1), dtype=bool)

    def pseudo(t: int, n: int, image: dict[int, Array]) -> tuple[Array, Array]:
        m = n if change == "no motion" else clip["source"][t, n]
        zero = np.zeros_like(positions[0])
        absent = zero if change == "an absent patch is 0" else mean(list(image.values()))
        rough = warped_patch(image.get(m, absent), residual[t][n], weights, change)
        keys = list(image.values())
        if change == "absent patches are attended to":
            keys = [image.get(k, absent) for k in range(N)]
        return rough, eq_2(rough, keys, weights, change)

    for layer in range(depth):
        now_image = mean(list(image.values()))
        if change == "absent patches count in the I-frame's context":
            now_image = now_image * len(image) / N
        E = eq_3(now_image, before_image, weights, change)
        for t in range(T - 1):
            start = now_image if change == "Eq. 4 from the I-frame" else before[t]
            context = eq_4(E, start, weights, change)
            c = eq_5(context, before[t], now_image, before_image, weights, change)
            opened[layer, t] = (c < threshold) if change == "open below s" else (c > threshold)
            extra: list[Array] = []
            if opened[layer, t]:
                both = {n: pseudo(t, n, image) for n in range(N) if n not in tokens[t]}
                fine = {n: tokens[t][n] if n in tokens[t] else both[n][1] for n in range(N)}
                averaged = {n: tokens[t][n] if n in tokens[t] else both[n][context_of == "refined"] for n in range(N)}
                if change == "only pseudo features averaged":
                    averaged = {n: averaged[n] for n in both}
                context = mean([averaged[n] for n in sorted(averaged)])
                rows, columns = local
                for i in range(rows):
                    for j in range(columns):
                        cell = [
                            fine[y * w + x]
                            for y in range(i * h // rows, (i + 1) * h // rows)
                            for x in range(j * w // columns, (j + 1) * w // columns)
                        ]
                        extra.append(mean(cell))
            if change == "no local tokens":
                extra = []
            if change == "global context kept" and opened[layer, t]:
                context = eq_4(E, before[t], weights)
            before[t] = context
            given = [tokens[t][n] for n in sorted(tokens[t])]
            if given:
                row = given + ([] if change == "no context" else [context]) + extra
                passed = block(row, weights, f"backbone.blocks.{layer}", heads)
                tokens[t] = dict(zip(sorted(tokens[t]), passed, strict=False))
        before_image = now_image
        image = dict(zip(there, block(list(image.values()), weights, f"backbone.blocks.{layer}", heads), strict=True))
    image = {n: layer_norm(x, weights, "backbone.norm") for n, x in image.items()}
    everything = list(image.values())
    if change == "absent patches in the average":
        everything = [image.get(n, mean(list(image.values()))) for n in range(N)]
    for t in range(T - 1):
        for n in range(N):
            if n in tokens[t]:
                everything.append(layer_norm(tokens[t][n], weights, "backbone.norm"))
            elif change != "no final pseudo features":
                everything.append(pseudo(t, n, image)[1])
    return mean(everything), opened
