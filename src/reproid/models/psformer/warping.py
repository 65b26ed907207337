"""The two ways to a P-frame's pseudo context (Section IV-C1). D numbers per token; rows are frames or patches.

W_ev, W_gw, W_pw, W_q, W_k and W_v carry no layer's index in the paper, unlike MSA_l: one of each serves all blocks. GELU
between the layers of the MLPs. W_k has no bias: it would add the same to all of a query's scores.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from reproid.models.psformer.selection import PIXELS


class GlobalWarp(nn.Module):
    """Global-level warping, Eq. 3 and 4.

    Args:
        width: D.
        hidden: width between the MLPs' two layers.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.W_ev = nn.Sequential(nn.Linear(2 * width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.W_gw = nn.Sequential(nn.Linear(2 * width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def evolution(self, now: Tensor, before: Tensor) -> Tensor:
        """Return E (Eq. 3) of a context in this layer and in the one before, [..., D] each."""
        E: Tensor = self.W_ev(torch.cat([now, before], dim=-1))
        return E

    def warp(self, evolution: Tensor, before: Tensor) -> Tensor:
        """Return the context of this layer (Eq. 4) from that of the layer before, [..., D] each."""
        C: Tensor = self.W_gw(torch.cat([evolution, before], dim=-1))
        return C

    def reverse(self, now: Tensor, before: Tensor, image_before: Tensor) -> Tensor:
        """Return the I-frame's context as the P-frame's evolution has it (Eq. 5), [..., D].

        Args:
            now: C^P of this layer.
            before: C^P of the layer before.
            image_before: C^I of the layer before.
        """
        return self.warp(self.evolution(now, before), image_before)


def cosine_distance(a: Tensor, b: Tensor) -> Tensor:
    """Return 1 - cos of the rows of [..., D]."""
    return 1 - torch.nn.functional.cosine_similarity(a, b, dim=-1, eps=1e-8)


@dataclass(frozen=True, kw_only=True)
class Missing:
    """The unselected patches of some P-frames, packed: u patches of f frames."""

    source: Tensor
    """int64 [u], M: which row of the I-frames' features [B N, D] each is predicted from."""
    residual: Tensor
    """[u, 768], R."""
    rows: Tensor
    """int64 [f, U], frame by frame, which of the u patches; what is padded repeats some patch."""
    clips: Tensor
    """int64, the clips that have such frames."""
    clip: Tensor
    """int64 [f], which of ``clips`` each frame is of."""
    inverse: Tensor
    """int64 [u], where in [f U] each patch stands."""


class PatchWarp(nn.Module):
    """Patch-wise warping and its refinement, Eq. 2.

    Args:
        width: D.
        hidden: width between W_pw's three layers.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.W_pw = nn.Sequential(
            nn.Linear(width + PIXELS, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, width)
        )
        self.W_q = nn.Linear(width, width)
        self.W_k = nn.Linear(width, width, bias=False)
        self.W_v = nn.Linear(width, width)

    def forward(self, image: Tensor, present: Tensor | None, missing: Missing) -> tuple[Tensor, Tensor]:
        """Return the pseudo features of unselected patches before and after refinement, [u, D] each.

        Args:
            image: I_l, [B, N, D].
            present: bool [B, N], the selected patches of the I-frames; None where all are.
            missing: the patches.
        """
        D = image.shape[-1]
        warped = self.W_pw(torch.cat([image.flatten(0, 1)[missing.source], missing.residual], dim=-1))
        # the keys are few; each frame's queries meet those of its own clip
        keyed = image[missing.clips]
        K, V = self.W_k(keyed)[missing.clip], self.W_v(keyed)[missing.clip]
        Q = self.W_q(warped)[missing.rows]
        scores = torch.baddbmm(Q.new_zeros(()), Q, K.mT, beta=0, alpha=D**-0.5)
        if present is not None:
            scores = scores.masked_fill(~present[missing.clips[missing.clip]][:, None, :], -torch.inf)
        refined = (scores.softmax(dim=-1) @ V).flatten(0, 1)[missing.inverse]
        return warped, refined
