"""ViT-B/16 and ViT-S (Dosovitskiy et al., ICLR 2021) as PSFormer's Table I puts them beside its own, from timm.

Each frame passes the network alone; the feature of a clip is the mean over all patches of all T frames behind the last LayerNorm,
repeated frames of short tracklets included. The class token takes part in the attention and is left out of the mean: PSFormer
averages patches and names no class token (B clips, T frames, N patches, D = width). No dropout and no drop-path.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from reproid._torchvision import ensure_ops
from reproid.clips.clip import Clip
from reproid.errors import InputError
from reproid.models.base import ClipModel, Output
from reproid.models.checkpoint import load_into
from reproid.models.neck import Neck
from reproid.models.normalize import Normalize
from reproid.models.vit.pretrained import from_torchvision

if TYPE_CHECKING:
    from timm.models.vision_transformer import VisionTransformer


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The transformer's options; see method.yaml."""

    width: int
    depth: int
    heads: int
    mlp_ratio: float
    qkv_bias: bool
    patch: int
    grid: tuple[int, ...]

    def __post_init__(self) -> None:
        for name, value in (("width", self.width), ("depth", self.depth), ("heads", self.heads), ("patch", self.patch)):
            if value < 1:
                raise InputError("out of range", where=f"method 'vit', option {name}", expected="at least 1", got=value)
        if self.width % self.heads:
            where, got = "method 'vit', options width and heads", f"{self.width} and {self.heads}"
            raise InputError("the heads do not divide the width", where=where, expected="a multiple", got=got)
        if len(self.grid) != 2 or min(self.grid) < 1:
            where = "method 'vit', option grid"
            raise InputError("not a grid", where=where, expected="rows and columns, each at least 1", got=list(self.grid))

    @property
    def pixels(self) -> tuple[int, int]:
        """Height and width of the frames that it takes."""
        return self.grid[0] * self.patch, self.grid[1] * self.patch


class ViT(ClipModel):
    """Vision transformer per frame with mean pooling over patches and time, and a neck.

    Args:
        shape: the transformer.
        neck: batch norm before the classifier.
        classes: training persons.
    """

    def __init__(self, shape: Shape, *, neck: bool, classes: int) -> None:
        super().__init__()
        self.shape = shape
        self.normalize = Normalize()
        self.backbone = _backbone(shape)
        self.embedding_dim = shape.width
        self.neck = Neck(self.embedding_dim, classes, batch_norm=neck)

    def forward(self, clip: Clip) -> Output:
        """Describe a batch of clips.

        Raises:
            InputError: for frames of another size than the grid's: a position embedding is never stretched unasked.
        """
        B, T, _, height, width = clip.frames.shape
        self._check_size(height, width)
        tokens = self.backbone.forward_features(self.normalize(clip.frames).flatten(0, 1))  # [B T, 1 + N, D]
        feature = tokens[:, 1:].mean(dim=1).view(B, T, -1).mean(dim=1)
        behind, logits = self.neck(feature)
        return Output(embedding=behind, logits=(logits,), features=(feature,)) if self.training else Output(embedding=behind)

    def load_pretrained(self, weights: Mapping[str, Tensor], where: object) -> None:
        """Start from ImageNet weights in torchvision's naming; their classifier is dropped, their grid stretched to this one."""
        rows, columns = self.shape.grid
        load_into(self.backbone, from_torchvision(weights, grid=(rows, columns), where=where), where=where)

    def _check_size(self, height: int, width: int) -> None:
        if (height, width) != self.shape.pixels:
            patch, (rows, columns) = self.shape.patch, self.shape.grid
            raise InputError(
                "frames of another size than the position embedding's",
                where="method 'vit', option grid",
                expected=f"{self.shape.pixels[0]}x{self.shape.pixels[1]} pixels ({rows}x{columns} patches of {patch})",
                got=f"{height}x{width}",
                fix=f"Set clips.height and clips.width, or the option grid to [{height // patch}, {width // patch}]",
            )


def _backbone(shape: Shape) -> "VisionTransformer":
    ensure_ops()
    from timm.models.vision_transformer import VisionTransformer

    return VisionTransformer(
        img_size=shape.pixels,
        patch_size=shape.patch,
        embed_dim=shape.width,
        depth=shape.depth,
        num_heads=shape.heads,
        mlp_ratio=shape.mlp_ratio,
        qkv_bias=shape.qkv_bias,
        num_classes=0,
        global_pool="",
    )
