"""PSFormer: all patches of the I-frame, a few selected ones of the P-frames, and warped contexts in place of the others."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reproid.models.psformer.model import PSFormer


def build(options: dict[str, Any], *, classes: int) -> "PSFormer":
    """Return the model of these options with fresh weights."""
    from reproid.models.psformer.model import PSFormer
    from reproid.models.psformer.options import read_options

    return PSFormer(read_options(options), classes=classes)
