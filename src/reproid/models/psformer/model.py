"""PSFormer (Zhu et al., "Not Every Patch is Needed: Towards a More Efficient and Effective Backbone for Video-based Person
Re-identification").

Patches of P-frames are selected (selection.py), and a ViT's blocks see those alone, with a context in place of the rest
(encoder.py). The feature of a clip is the mean over all patches of all frames, repeated frames of short tracklets included. B
clips, T frames, N patches, D = width. No class token, for the paper names none and averages patches; no dropout and no
drop-path. docs/methods/psformer.md lists what the print leaves open.
"""

from collections.abc import Mapping
from statistics import fmean
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from reproid._torchvision import ensure_ops
from reproid.clips.clip import Clip
from reproid.models.base import ClipModel, Output
from reproid.models.checkpoint import load_into
from reproid.models.neck import Neck
from reproid.models.normalize import Normalize
from reproid.models.psformer.encoder import Encoded, SparseEncoder
from reproid.models.psformer.losses import budget_loss, error_loss
from reproid.models.psformer.options import PATCH, Options
from reproid.models.psformer.pace import stated_pace
from reproid.models.psformer.patches import clip_patches
from reproid.models.psformer.selection import PatchSelection, Selected
from reproid.models.vit.pretrained import from_torchvision

if TYPE_CHECKING:
    from timm.models.vision_transformer import VisionTransformer


class PSFormer(ClipModel):
    """Patch selection, patch-sparse transformer and a neck.

    Args:
        options: see method.yaml.
        classes: training persons.
    """

    def __init__(self, options: Options, *, classes: int) -> None:
        super().__init__()
        self.options = options
        self.normalize = Normalize()
        self.encoder = SparseEncoder(_backbone(options), options) if options.selection == "scored" else None
        self.dense = _backbone(options) if self.encoder is None else None
        self.selection = PatchSelection(options) if self.encoder is not None else None
        self.embedding_dim = options.width
        self.neck = Neck(self.embedding_dim, classes, batch_norm=options.neck)
        self.threshold = options.test_threshold
        """s at test time; may be changed at any time."""
        self.all_patches = self.encoder is None
        """Whether every patch passes the blocks: without selection, and in the first stage of training."""
        self._stated = False

    @property
    def backbone(self) -> "VisionTransformer":
        """The blocks, the patch embedding, the positions and the last norm."""
        found = self.dense if self.encoder is None else self.encoder.backbone
        assert found is not None
        return found  # type: ignore[return-value]

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Take up the first stage or the second, which begins after its share of the epochs."""
        self.all_patches = self.encoder is None or epoch < round(self.options.first_stage * epochs)

    def state_cost(self) -> None:
        """From now on, keep and open as many as the options state, so that the cost of a pass is a fixed number."""
        self._stated = True

    def forward(self, clip: Clip) -> Output:
        """Describe a batch of clips.

        Raises:
            InputError: for frames of another size than the grid's, or a clip without its group of pictures.
        """
        if self.encoder is None or (self.training and self.all_patches):
            return self._output(self._all(clip), metrics={} if self.encoder is None else {"stage": torch.tensor(1.0)})
        assert self.selection is not None
        patches = clip_patches(clip, self.normalize, self.options)
        pace = stated_pace(self.options, patches.source.shape[1]) if self._stated else None
        selected = self.selection(patches, pace)
        threshold = self.options.threshold if self.training else self.threshold
        encoded = self.encoder(patches, selected, threshold=threshold, pace=pace)
        metrics = _shares(encoded, selected, whole_i_frame=self.options.whole_i_frame)
        if self.training:
            return self._output(encoded.feature, self._losses(encoded, selected), {"stage": torch.tensor(2.0)} | metrics)
        return self._output(encoded.feature, metrics=metrics, maps=_maps(selected, self.options))

    def options_at(self, metrics: Mapping[str, float]) -> dict[str, Any]:
        """Return the shares of kept patches and open gates that a test measured, as the options that state the cost."""
        kept = [value for name, value in metrics.items() if name.startswith("kept_frame_") and name != "kept_frame_0"]
        opened = [value for name, value in metrics.items() if name.startswith("open_block_")]
        if not kept:
            return {}
        first = {"stated_kept_i": metrics["kept_frame_0"]} if "kept_frame_0" in metrics else {}
        return {"stated_kept": fmean(kept), "stated_gate": fmean(opened)} | first

    def load_pretrained(self, weights: Mapping[str, Tensor], where: object) -> None:
        """Start from ImageNet weights of a ViT in torchvision's naming, without its class token and classifier."""
        rows, columns = self.options.grid
        named = from_torchvision(weights, grid=(rows, columns), where=where)
        named.pop("cls_token", None)
        if "pos_embed" in named:
            named["pos_embed"] = named["pos_embed"][:, 1:]
        load_into(self.backbone, named, where=where)

    def _all(self, clip: Clip) -> Tensor:
        """Return the mean [B, D] over all patches of all frames, every frame passed alone."""
        B, T = clip.frames.shape[:2]
        patches = clip_patches(clip, self.normalize, self.options).frames
        tokens = self.backbone.forward_features(patches.flatten(0, 1))  # [B T, N, D]
        return tokens.mean(dim=1).view(B, T, -1).mean(dim=1)

    def _losses(self, encoded: Encoded, selected: Selected) -> dict[str, Tensor]:
        assert self.encoder is not None
        losses = {}
        if self.options.context == "routed":
            assert self.encoder.global_warp is not None
            losses["error"] = error_loss(self.encoder.global_warp, encoded.contexts, self.options.error_samples)
        if self.options.budget:
            losses["budget"] = budget_loss(selected.score[:, 1:], self.options.budget)
        return losses

    def _output(
        self,
        feature: Tensor,
        losses: dict[str, Tensor] | None = None,
        metrics: dict[str, Tensor] | None = None,
        maps: dict[str, Tensor] | None = None,
    ) -> Output:
        behind, logits = self.neck(feature)
        if not self.training:
            return Output(embedding=behind, metrics=metrics or {}, maps=maps or {})
        return Output(embedding=behind, logits=(logits,), features=(feature,), losses=losses or {}, metrics=metrics or {})


def _shares(encoded: Encoded, selected: Selected, *, whole_i_frame: bool) -> dict[str, Tensor]:
    """Return the kept share of each frame's patches, but of a whole I-frame's, and the share of open gates of each block."""
    kept = selected.mask.to(torch.float32).mean(dim=(0, 2))
    frames = selected.mask.shape[0] * (selected.mask.shape[1] - 1)
    shares = {f"kept_frame_{t}": share for t, share in enumerate(kept.unbind()) if t or not whole_i_frame}
    return shares | {f"open_block_{at + 1}": torch.tensor(count / frames) for at, count in enumerate(encoded.opened)}


def _maps(selected: Selected, options: Options) -> dict[str, Tensor]:
    """Return the selected patches and the eigenvector of each frame, on the grid (Figures 2 and 4)."""
    found = {"selected": selected.mask}
    if selected.indicator is not None:
        found["eigenvector"] = selected.indicator
    B, T, _ = selected.mask.shape
    return {name: values.view(B, T, options.grid[0], options.grid[1]) for name, values in found.items()}


def _backbone(options: Options) -> "VisionTransformer":
    ensure_ops()
    from timm.models.vision_transformer import VisionTransformer

    return VisionTransformer(
        img_size=options.pixels,
        patch_size=PATCH,
        embed_dim=options.width,
        depth=options.depth,
        num_heads=options.heads,
        mlp_ratio=options.mlp_ratio,
        qkv_bias=options.qkv_bias,
        num_classes=0,
        class_token=False,
        global_pool="",
    )
