"""The patch-sparse transformer (Section IV-C, Algorithm 2): blocks over selected patches, contexts and local tokens.

B clips, P P-frames each, F = B P frames, N patches, D numbers per token. The tokens of all frames are rows of one table, so
that linear layers see no padding: the I-frames' patches, the selected patches, the contexts (one per frame), the local tokens
(eight per frame whose gate is open). Contexts and local tokens pass the whole block, as Algorithm 2 has it; what they become is
not used.

What the print leaves open. Layer 0 of Eq. 3-5 is the patch embedding before the positions are added: its mean over a P-frame's
patches is that of the mean patch, known without any of their features. What a block sees of a P-frame where nothing is selected
is its context alone. The final warping follows the last LayerNorm.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from reproid.models.psformer.layout import Frames, Rows, frames_of, kept_counts, rows_of
from reproid.models.psformer.options import Options
from reproid.models.psformer.pace import Pace
from reproid.models.psformer.packing import Mixer, pack, run_block
from reproid.models.psformer.patches import Patches
from reproid.models.psformer.routing import Gate, error_distance
from reproid.models.psformer.selection import Selected
from reproid.models.psformer.warping import GlobalWarp, PatchWarp


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """What the transformer makes of a batch."""

    feature: Tensor
    """[B, D], the mean over all patches of all frames."""
    contexts: list[Tensor]
    """C^I of layer 0, 1, ... L, each [B, D]."""
    opened: tuple[int, ...]
    """Frames whose gate was open, block by block."""
    distances: tuple[Tensor, ...]
    """c [B, P], block by block; where no gate measures an error there are none."""


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """What stays the same from block to block."""

    image: Rows
    """Selected patches of the I-frames."""
    present: Tensor | None
    """bool [B, N], which those are; None: all."""
    rows: Rows
    """Selected patches of the P-frames."""
    mask: Tensor
    """bool [F, N], which those are."""
    source: Tensor
    """int64 [F, N], rows of the I-frames' features."""
    residual: Tensor
    """[F, N, 768]."""
    p_frames: int

    def frames(self, numbers: list[int]) -> Frames:
        return frames_of(numbers, self.rows, self.p_frames, self.mask, self.source, self.residual)

    def dense(self, image: Tensor) -> Tensor:
        """Return the I-frames' features [B, N, D]; an absent patch has the mean of those that are there."""
        B, N = len(self.image.counts), self.mask.shape[1]
        if self.present is None:
            return image.view(B, N, -1)
        full = image.new_zeros(B, N, image.shape[-1]).index_put((self.image.frame, self.image.patch), image)
        return torch.where(self.present[..., None], full, self.mean(full)[:, None])

    def mean(self, dense: Tensor) -> Tensor:
        """Return C^I [B, D] of the I-frames' features, over the patches that are there."""
        if self.present is None:
            return dense.mean(dim=1)
        weight = self.present.to(dense.dtype)[..., None]
        return (dense * weight).sum(dim=1) / weight.sum(dim=1)


class SparseEncoder(nn.Module):
    """The blocks of a ViT over selected patches.

    Args:
        backbone: timm's transformer without a class token.
        options: the method's.
    """

    def __init__(self, backbone: nn.Module, options: Options) -> None:
        super().__init__()
        self.backbone = backbone
        self.options = options
        self.global_warp = GlobalWarp(options.width, options.warp_width) if options.context in ("routed", "global") else None
        self.patch_warp = PatchWarp(options.width, options.warp_width)

    def forward(self, patches: Patches, selected: Selected, *, threshold: float, pace: Pace | None = None) -> Encoded:
        """Describe a batch of clips.

        Args:
            patches: the clips.
            selected: what of them is passed.
            threshold: s.
            pace: fixed counts, to state costs.
        """
        batch = self._batch(patches, selected, pace)
        gate = Gate(self.options, threshold=threshold, training=self.training, pace=pace)
        image, tokens, image_before, before = self._embed(patches, batch)
        contexts, opened, distances = [image_before], [], []
        for number, block in enumerate(self.backbone.get_submodule("blocks").children()):
            dense = batch.dense(image)
            contexts.append(batch.mean(dense))
            context: Tensor | None = None
            local: Tensor | None = None
            frames: list[int] = []
            if self.options.context != "none":
                context, frames, distance = self._coarse(gate, number, contexts, before)
                distances += [] if distance is None else [distance]
                if frames:
                    context, local = self._refine(dense, tokens, batch, frames, context)
                before = context
            opened.append(len(frames))
            image, tokens = self._pass(block, image, tokens, batch, context, local, frames)
        norm = self.backbone.get_submodule("norm")
        feature = self._pool(norm(image), norm(tokens), batch, selected)
        return Encoded(feature=feature, contexts=contexts, opened=tuple(opened), distances=tuple(distances))

    def _batch(self, patches: Patches, selected: Selected, pace: Pace | None) -> _Batch:
        B, P, N = patches.source.shape
        of_image, of_frames = kept_counts(pace, B)
        whole = self.options.whole_i_frame
        mask = selected.mask[:, 1:].flatten(0, 1)
        clip = torch.arange(B, device=mask.device)
        return _Batch(
            image=rows_of(selected.mask[:, 0], (N,) * B if whole else of_image),
            present=None if whole else selected.mask[:, 0],
            rows=rows_of(mask, of_frames),
            mask=mask,
            source=(patches.source + N * clip[:, None, None]).flatten(0, 1),
            residual=patches.residual.flatten(0, 1),
            p_frames=P,
        )

    def _embed(self, patches: Patches, batch: _Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the tokens of layer 1 of both kinds of frames, [rows, D], and the contexts of layer 0, [B, D] and [B, P, D]."""
        projection = self.backbone.get_submodule("patch_embed.proj")
        positions = self.backbone.get_parameter("pos_embed")[0]
        weight, bias = projection.get_parameter("weight").flatten(1), projection.get_parameter("bias")

        def tokens(pixels: Tensor, rows: Rows) -> Tensor:
            return linear(pixels[rows.frame, rows.patch], weight, bias) + positions[rows.patch]

        image = tokens(patches.pixels[:, 0], batch.image)
        sparse = tokens(patches.pixels[:, 1:].flatten(0, 1), batch.rows)
        start = linear(patches.pixels.mean(dim=2), weight, bias)
        return image, sparse, start[:, 0], start[:, 1:]

    def _coarse(self, gate: Gate, block: int, contexts: list[Tensor], before: Tensor) -> tuple[Tensor, list[int], Tensor | None]:
        """Return C^P of global warping [B, P, D], the frames to refine, and the distances where measured."""
        if self.global_warp is None:  # patch-wise alone
            return before, list(range(before.shape[0] * before.shape[1])), None
        warp, (image_before, image_now) = self.global_warp, contexts[-2:]
        evolution = warp.evolution(image_now, image_before)
        context = warp.warp(evolution[:, None].expand_as(before), before)
        if self.options.context == "global":
            return context, [], None
        distance = None
        if self.options.gate == "error":
            with torch.no_grad():
                distance = error_distance(warp, context, before, image_now, image_before)
        return context, gate.opened(block, context[..., 0] if distance is None else distance), distance

    def _refine(self, dense: Tensor, tokens: Tensor, batch: _Batch, numbers: list[int], context: Tensor) -> tuple[Tensor, Tensor]:
        """Return the contexts [B, P, D] with those of the open frames replaced, and their local tokens [f, 8, D]."""
        frames = batch.frames(numbers)
        warped, refined = self.patch_warp(dense, batch.present, frames.missing)
        present = tokens[frames.selected]
        grid = torch.cat([refined, present])[frames.whole].view(len(numbers), batch.mask.shape[1], -1)
        averaged = grid if self.options.context_of == "refined" else torch.cat([warped, present])[frames.whole].view_as(grid)
        place = torch.tensor(numbers, device=dense.device)
        replaced = context.flatten(0, 1).index_copy(0, place, averaged.mean(dim=1).to(context.dtype)).view_as(context)
        return replaced, self._local(grid)

    def _local(self, grid: Tensor) -> Tensor:
        """Return the means [f, cells, D] over the cells of the local grid of features [f, N, D]."""
        (h, w), (rows, columns) = self.options.grid, self.options.local_grid
        cells = grid.view(len(grid), rows, h // rows, columns, w // columns, -1)
        return cells.mean(dim=(2, 4)).flatten(1, 2)

    def _pass(
        self,
        block: nn.Module,
        image: Tensor,
        tokens: Tensor,
        batch: _Batch,
        context: Tensor | None,
        local: Tensor | None,
        frames: list[int],
    ) -> tuple[Tensor, Tensor]:
        """Pass all tokens through a block; return those of I-frames and selected patches."""
        device, F = tokens.device, len(batch.rows.counts)
        lengths = list(batch.rows.counts)
        parts, sequence = [tokens], [batch.rows.frame]
        if context is not None:
            parts.append(context.flatten(0, 1))
            sequence.append(torch.arange(F, device=device))
            lengths = [length + 1 for length in lengths]
        if local is not None:
            parts.append(local.flatten(0, 1))
            sequence.append(torch.tensor(frames, device=device).repeat_interleave(local.shape[1]))
            for frame in frames:
                lengths[frame] += local.shape[1]
        whole = batch.present is None
        if not whole:
            sequence.insert(0, F + batch.image.frame)
            lengths += batch.image.counts
        mix = Mixer(
            equal=len(image) if whole else 0,
            length=batch.mask.shape[1],
            packing=pack(torch.cat(sequence), lengths),
            heads=self.options.heads,
        )
        passed = run_block(block, torch.cat([image, *parts]), mix)
        return passed[: len(image)], passed[len(image) : len(image) + len(tokens)]

    def _pool(self, image: Tensor, tokens: Tensor, batch: _Batch, selected: Selected) -> Tensor:
        """Return the mean over all patches of all frames, [B, D]: transformer features, and pseudo features of the others.

        In training a selected patch is gate x its feature + (1 - gate) x its pseudo feature: the gate is 1, and its gradient
        weighs what the patch gains by being selected.
        """
        B, P, N = len(batch.image.counts), batch.p_frames, batch.mask.shape[1]
        dense = batch.dense(image)
        if self.training:
            unselected = torch.zeros_like(batch.mask)
            none = Rows(counts=(0,) * (B * P), frame=batch.rows.frame[:0], patch=batch.rows.patch[:0])
            frames = frames_of(list(range(B * P)), none, P, unselected, batch.source, batch.residual)
            pseudo = self.patch_warp(dense, batch.present, frames.missing)[1][frames.whole].view(B * P, N, -1).to(tokens.dtype)
            at = (batch.rows.frame, batch.rows.patch)
            gate = selected.gate[:, 1:].flatten(0, 1)[at][:, None]
            grid = pseudo.index_put(at, gate * tokens + (1 - gate) * pseudo[at])
            total = grid.view(B, P * N, -1).sum(dim=1)
        else:
            frames = batch.frames(list(range(B * P)))
            refined = self.patch_warp(dense, batch.present, frames.missing)[1]
            total = torch.cat([refined, tokens[frames.selected]])[frames.whole].view(B, P * N, -1).sum(dim=1)
        if batch.present is None:
            everything: Tensor = total + dense.sum(dim=1)
            return everything / (N * (P + 1))
        gates = selected.gate[:, 0] if self.training else selected.mask[:, 0].to(dense.dtype)
        weight = (gates * batch.present)[..., None]
        present: Tensor = total + (dense * weight).sum(dim=1)
        return present / (N * P + batch.present.sum(dim=1, keepdim=True))
