"""MACs of PSFormer at the shares that its options state, by hand: arithmetic on counts of tokens, no torch.

P P-frames, N patches per frame, k of them kept, D numbers per token, w the warping MLPs' hidden width.
"""

from math import prod
from typing import Any

from reproid.models.macs import ClipSize, Macs, attention
from reproid.models.psformer.options import PATCH, Options, read_options
from reproid.models.psformer.pace import Pace, stated_pace

PIXELS = 3 * PATCH * PATCH
LANCZOS_STEPS = 24
STRIDES = (4, 2, 2, 1)


def macs(options: dict[str, Any], size: ClipSize) -> Macs:
    """Return the MACs of one clip at the stated shares of kept patches and open gates."""
    own = read_options(options)
    if own.selection == "all":
        tokens = _block(own, own.patches) * own.depth
        return (Macs(weights=own.patches * PIXELS * own.width) + tokens) * size.frames
    pace = stated_pace(own, size.frames - 1)
    return selection_macs(own, size) + transformer_macs(own, pace)


def gate_rate(threshold: float, *, at: float, rate: float) -> float:
    """Return the share of open gates at another threshold s, from that at one.

    A context that drifts like a sum of independent errors has, k layers after it was refined, the cosine 1 / sqrt(1 + k v) with
    the true one; the gate opens again where 1 - cos exceeds s, so every k-th layer with k v = (1 - s)^-2 - 1. v is known from
    one s.

    Args:
        threshold: s, 0 to 1.
        at: the threshold with a known share.
        rate: that share.
    """
    if threshold in (0, 1):
        return float(threshold == 0)
    drift = rate * ((1 - at) ** -2 - 1)
    return min(1.0, drift / ((1 - threshold) ** -2 - 1))


def selection_macs(options: Options, size: ClipSize) -> Macs:
    """Return what choosing costs: the 3D CNN, the affinities with their eigenvectors, the scores."""
    N, C, T = options.patches, options.cnn_channels[-1], size.frames
    scored = T - 1 if options.whole_i_frame else T
    inputs = PIXELS * (options.novelty + options.progressive) + C * options.semantics
    hidden = options.score_width
    total = Macs(weights=scored * N * (inputs * hidden + hidden**2 + hidden))
    if options.semantics:
        total += Macs(weights=_volume(options, size))
    if options.semantics and options.enhancement:
        steps = min(LANCZOS_STEPS, N - 1)
        # the affinities; a product with the matrix per step; orthogonalised twice against all before; the vector put together
        orthogonal = sum(4 * N * before for before in (1, *range(2, steps + 2)))
        total += Macs(weights=0, attention=T * (N * N * C + steps * N * N + orthogonal + N * steps))
    return total


def transformer_macs(options: Options, pace: Pace) -> Macs:
    """Return what the patch-sparse transformer costs: blocks, warping, routing, final pseudo features."""
    N, D, P = options.patches, options.width, len(pace.kept) - 1
    image, *kept = pace.kept
    total = Macs(weights=(image + sum(kept) + P + 1) * PIXELS * D)  # a mean patch per frame for the contexts of layer 0
    for opened in pace.opened:
        total += _block(options, image) + _routing(options, P)
        for frame, count in enumerate(kept):
            extra = 0 if options.context == "none" else 1
            extra += prod(options.local_grid) if frame in opened else 0
            total += _block(options, count + extra)
        total += patch_warp_macs(options, [N - kept[frame] for frame in opened])
    return total + patch_warp_macs(options, [N - count for count in kept])


def patch_warp_macs(options: Options, missing: list[int]) -> Macs:
    """Return what warping and refining the missing patches of some P-frames of a clip costs: W_pw, Eq. 2."""
    if not missing:
        return Macs(weights=0)
    N, D, w = options.patches, options.width, options.warp_width
    u = sum(missing)
    linears = u * ((D + PIXELS) * w + w * w + w * D) + u * D * D + 2 * N * D * D
    return Macs(weights=linears, attention=2 * len(missing) * max(missing) * N * D)


def _routing(options: Options, p_frames: int) -> Macs:
    """Return what global-level warping and the gate cost in one layer: Eq. 3 once, Eq. 4 per P-frame, Eq. 5 both per P-frame."""
    if options.context not in ("routed", "global"):
        return Macs(weights=0)
    mlp = 2 * options.width * options.warp_width + options.warp_width * options.width
    measured = options.context == "routed" and options.gate == "error"
    return Macs(weights=mlp * (1 + p_frames + 2 * p_frames * measured))


def _block(options: Options, tokens: int) -> Macs:
    mlp = 2 * tokens * options.width * int(options.mlp_ratio * options.width)
    return attention(tokens, options.width) + Macs(weights=mlp)


def _volume(options: Options, size: ClipSize) -> int:
    height, width, total, before = size.height, size.width, 0, 3
    for channels, stride in zip(options.cnn_channels, STRIDES, strict=True):
        height, width = height // stride, width // stride
        kernel = 3 * 4 * 4 if stride == 4 else 3 * 3 * 3
        total += size.frames * height * width * kernel * before * channels
        before = channels
    return total
