"""The baseline: ResNet-50 per frame, averaged over space and time."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reproid.models.resnet50.model import ResNet


def build(options: dict[str, Any], *, classes: int) -> "ResNet":
    """Return the model of these options with fresh weights."""
    from reproid.models.resnet50.model import ResNet

    shape = {"layers": tuple(options["layers"]), "channels": tuple(options["channels"])}
    return ResNet(**shape, last_stride=options["last_stride"], neck=options["neck"], classes=classes)
