"""MACs of the bottleneck ResNet, layer by layer (He et al., CVPR 2016, Table 1). Every convolution, no bias, no classifier."""

from typing import Any

from reproid.models.macs import ClipSize, Macs

EXPANSION = 4


def macs(options: dict[str, Any], size: ClipSize) -> Macs:
    """Return the MACs of one clip: T times those of a frame."""
    height, width = _halved(size.height), _halved(size.width)
    total = height * width * 64 * 3 * 7 * 7  # the stem
    height, width = _halved(height), _halved(width)  # max pooling
    inputs = 64
    for stage, (blocks, inner) in enumerate(zip(options["layers"], options["channels"], strict=True)):
        stride = (1, 2, 2, options["last_stride"])[stage]
        for block in range(blocks):
            before = height * width
            if block == 0 and stride == 2:
                height, width = _halved(height), _halved(width)
            after, outputs = height * width, EXPANSION * inner
            total += before * inputs * inner + after * (9 * inner * inner + inner * outputs)
            if block == 0 and (stage > 0 or inputs != outputs):
                total += after * inputs * outputs  # the projection beside the block
            inputs = outputs
    return Macs(weights=total) * size.frames


def _halved(pixels: int) -> int:
    """Return the size behind a layer of stride 2 that pads so that an odd pixel counts."""
    return (pixels + 1) // 2
