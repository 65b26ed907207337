"""ImageNet weights of ViT-B/16 as torchvision publishes them, under timm's names and for another grid of patches."""

import re
from collections.abc import Mapping

from torch import Tensor

from reproid._torchvision import ensure_ops
from reproid.errors import InputError

_NAMES = (
    (r"class_token", "cls_token"),
    (r"conv_proj\.(.*)", r"patch_embed.proj.\1"),
    (r"encoder\.pos_embedding", "pos_embed"),
    (r"encoder\.ln\.(.*)", r"norm.\1"),
    (r"encoder\.layers\.encoder_layer_(\d+)\.ln_([12])\.(.*)", r"blocks.\1.norm\2.\3"),
    # both stack the rows of queries, keys and values in this order, head by head
    (r"encoder\.layers\.encoder_layer_(\d+)\.self_attention\.in_proj_(.*)", r"blocks.\1.attn.qkv.\2"),
    (r"encoder\.layers\.encoder_layer_(\d+)\.self_attention\.out_proj\.(.*)", r"blocks.\1.attn.proj.\2"),
    # the published file is of the time before torchvision 0.13, which renamed these to mlp.0 and mlp.3
    (r"encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:linear_1|0)\.(.*)", r"blocks.\1.mlp.fc1.\2"),
    (r"encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:linear_2|3)\.(.*)", r"blocks.\1.mlp.fc2.\2"),
)


def from_torchvision(weights: Mapping[str, Tensor], *, grid: tuple[int, int], where: object) -> dict[str, Tensor]:
    """Return the weights under timm's names, without the classifier, the position embedding for ``grid``.

    Args:
        weights: by torchvision's names.
        grid: rows and columns of patches.
        where: the checkpoint, for messages.

    Raises:
        InputError: for a name that is not torchvision's, or no position embedding of a square grid and a class token.
    """
    renamed = {_timm_name(name, where): value for name, value in weights.items() if not name.startswith("heads.")}
    if "pos_embed" in renamed:
        renamed["pos_embed"] = _stretch(renamed["pos_embed"], grid, where)
    return renamed


def _timm_name(name: str, where: object) -> str:
    for pattern, timm_name in _NAMES:
        if found := re.fullmatch(pattern, name):
            return found.expand(timm_name)
    raise InputError(f"the checkpoint has an unknown tensor '{name}'", where=where, expected="torchvision's names of a ViT")


def _stretch(positions: Tensor, grid: tuple[int, int], where: object) -> Tensor:
    """Interpolate position embeddings [1, 1 + n^2, D] to [1, 1 + rows x columns, D]: bicubic, antialiased; the token's stays."""
    side = round(max(0, positions.shape[1] - 1) ** 0.5) if positions.ndim == 3 else 0
    if side < 1 or positions.shape[1] != 1 + side**2:
        expected = "[1, 1 + n x n, D]: a square grid and a class token"
        raise InputError("position embedding of another shape", where=where, expected=expected, got=list(positions.shape))
    ensure_ops()
    from timm.layers.pos_embed import resample_abs_pos_embed

    stretched: Tensor = resample_abs_pos_embed(positions, new_size=list(grid), old_size=[side, side])
    return stretched
