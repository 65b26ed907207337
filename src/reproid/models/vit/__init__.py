"""The vision transformer: every frame alone, every patch, averaged over patches and frames."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reproid.models.vit.model import ViT


def build(options: dict[str, Any], *, classes: int) -> "ViT":
    """Return the model of these options with fresh weights."""
    from reproid.models.vit.model import Shape, ViT

    shape = Shape(
        width=options["width"],
        depth=options["depth"],
        heads=options["heads"],
        mlp_ratio=options["mlp_ratio"],
        qkv_bias=options["qkv_bias"],
        patch=options["patch"],
        grid=tuple(options["grid"]),
    )
    return ViT(shape, neck=options["neck"], classes=classes)
