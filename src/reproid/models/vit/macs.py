"""MACs of the vision transformer (Dosovitskiy et al., ICLR 2021, Eq. 1-4), from its options."""

from typing import Any

from reproid.models.macs import ClipSize, Macs, attention


def macs(options: dict[str, Any], size: ClipSize) -> Macs:
    """Return the MACs of one clip: T times those of a frame of N = patches + 1 tokens of D numbers."""
    patch, width = int(options["patch"]), int(options["width"])
    patches = (size.height // patch) * (size.width // patch)
    embed = Macs(weights=patches * 3 * patch**2 * width)
    tokens = patches + 1
    mlp = Macs(weights=2 * tokens * width * int(options["mlp_ratio"] * width))
    return (embed + (attention(tokens, width) + mlp) * int(options["depth"])) * size.frames
