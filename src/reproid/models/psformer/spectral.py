"""The second eigenvector of the normalised Laplacian (Section III-C; Melas-Kyriazi et al., CVPR 2022).

Shapes: N patches on a grid of h x w, C features each; "..." is any batch. All matrices of a batch are solved together, and of
each only the one vector that is needed. No gradient passes: the vector is an indicator. Under mixed precision it is found in
float32.

What the print leaves open: negative affinities are 0, as in the code of [56], so that D^-1/2 exists; a patch without any
affinity has D^-1/2 = 0; of a disconnected graph it is y_1 all the same, though its eigenvalue is 0. The vector's length is
sqrt(N), so that its entries are of the size of 1, and its sign makes its mean over the middle of the grid larger than over the
rim.
"""

import math
from contextlib import nullcontext

import torch
from torch import Tensor

STEPS = 24
"""Of Lanczos' iteration: the vector's Rayleigh quotient is within 1e-3 of the eigenvalue on maps of 16 x 8 patches."""
_TINY = 1e-12


@torch.no_grad()
def person_indicator(features: Tensor, grid: tuple[int, int]) -> Tensor:
    """Return y_1 of each feature map, [..., N].

    Args:
        features: F, [..., N, C].
        grid: h and w.
    """
    # tensors of shapes alone, which costs are counted with, know no autocast
    with nullcontext() if features.is_meta else torch.autocast(features.device.type, enabled=False):
        full = features if features.dtype == torch.float64 else features.float()
        prior = centre_prior(grid, full)
        return signed(second_eigenvector((full @ full.mT).clamp(min=0), prior), prior)


def second_eigenvector(affinity: Tensor, start: Tensor, steps: int = STEPS) -> Tensor:
    """Return the eigenvector of the second smallest eigenvalue of L = D^-1/2 (D - A) D^-1/2, of length sqrt(N) and any sign.

    L = 1 - M with M = D^-1/2 A D^-1/2, whose first eigenvector is known, D^1/2 1. Lanczos' iteration, fully orthogonalised, finds
    the largest eigenvector of M beside that one.

    Args:
        affinity: A, [..., N, N], symmetric, not negative.
        start: [N], what the iteration starts from.
        steps: of the iteration, at most N - 1.
    """
    N = affinity.shape[-1]
    degree = affinity.sum(dim=-1)
    scale = torch.where(degree > _TINY, degree.clamp(min=_TINY).rsqrt(), torch.zeros_like(degree))
    M = scale[..., :, None] * affinity * scale[..., None, :]
    basis = _unit(degree.clamp(min=0).sqrt())[..., None]  # [..., N, 1 + steps so far]
    v = start + 0.1 * torch.linspace(-1, 1, N, dtype=start.dtype, device=start.device)  # no symmetry hides a vector from it
    v = _unit(_rejected(v.expand_as(degree), basis))
    diagonal, beside = [], []
    for _ in range(min(steps, N - 1)):
        w = (M @ v[..., None])[..., 0]
        alive = v.square().sum(dim=-1) > 0.5
        # a space that is used up gives no further vector: its place gets a value below all of M's
        diagonal.append(torch.where(alive, (w * v).sum(dim=-1), torch.full_like(w[..., 0], -2.0)))
        basis = torch.cat([basis, v[..., None]], dim=-1)
        w = _rejected(w, basis)
        length = w.norm(dim=-1)
        length = torch.where(length > 1e-5, length, torch.zeros_like(length))
        beside.append(length)
        v = torch.where(length[..., None] > 0, w / length.clamp(min=_TINY)[..., None], torch.zeros_like(w))
    small = torch.diag_embed(torch.stack(diagonal, dim=-1))
    if len(diagonal) > 1:
        off = torch.diag_embed(torch.stack(beside[:-1], dim=-1), offset=1)
        small = small + off + off.mT
    ritz = torch.linalg.eigh(small)[1][..., -1:]
    vector: Tensor = _unit((basis[..., 1:] @ ritz)[..., 0])
    return vector * math.sqrt(N)


def centre_prior(grid: tuple[int, int], like: Tensor) -> Tensor:
    """Return weights [N] of mean 0: those of the middle above 0, those of the rim below. All that the sign rule knows.

    The middle is the half of the columns and the three quarters of the rows around the centre: boxes are cropped around persons.
    """
    h, w = grid
    rows = ((torch.arange(h, device=like.device) + 0.5) / h - 0.5).abs() <= 3 / 8
    columns = ((torch.arange(w, device=like.device) + 0.5) / w - 0.5).abs() <= 1 / 4
    inside: Tensor = (rows[:, None] & columns[None, :]).flatten().to(like.dtype)
    return inside / inside.sum().clamp(min=1) - (1 - inside) / (1 - inside).sum().clamp(min=1)


def signed(vector: Tensor, prior: Tensor) -> Tensor:
    """Return the vectors [..., N] with the sign that the prior [N] asks for."""
    against = (vector * prior).sum(dim=-1, keepdim=True) < 0
    return torch.where(against, -vector, vector)


def _unit(vector: Tensor) -> Tensor:
    length: Tensor = vector.norm(dim=-1, keepdim=True)
    return vector / length.clamp(min=_TINY)


def _rejected(vector: Tensor, basis: Tensor) -> Tensor:
    """Return what of the vectors [..., N] is orthogonal to the basis [..., N, k]; twice is enough (Parlett)."""
    for _ in range(2):
        vector = vector - (basis @ (basis.mT @ vector[..., None]))[..., 0]
    return vector
