"""ResNet-50 (He et al., CVPR 2016) as the re-ID papers use it, from timm.

Each frame passes the network; the feature of a clip is the mean over all positions of all T frames, repeated frames of short
tracklets included (B clips, T frames, D = 4 x last channels).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor

from reproid._torchvision import ensure_ops
from reproid.clips.clip import Clip
from reproid.errors import InputError
from reproid.models.base import ClipModel, Output
from reproid.models.checkpoint import load_into
from reproid.models.neck import Neck
from reproid.models.normalize import Normalize

if TYPE_CHECKING:
    from timm.models.resnet import ResNet as TimmResNet


class ResNet(ClipModel):
    """Bottleneck ResNet with mean pooling over space and time and a neck.

    Args:
        layers: blocks of the four stages.
        channels: inner widths of the four stages.
        last_stride: 1 or 2, stride of the fourth stage.
        neck: batch norm before the classifier.
        classes: training persons.
    """

    def __init__(self, *, layers: tuple[int, ...], channels: tuple[int, ...], last_stride: int, neck: bool, classes: int) -> None:
        super().__init__()
        if len(layers) != 4 or len(channels) != 4:
            where, got = "method 'resnet50', options layers and channels", f"{len(layers)} and {len(channels)}"
            raise InputError("wrong number of stages", where=where, expected="4 and 4", got=got)
        self.normalize = Normalize()
        self.backbone = _backbone(layers, channels, last_stride)
        self.embedding_dim = 4 * channels[-1]
        self.neck = Neck(self.embedding_dim, classes, batch_norm=neck)

    def forward(self, clip: Clip) -> Output:
        """Describe a batch of clips."""
        B, T = clip.frames.shape[:2]
        maps = self.backbone.forward_features(self.normalize(clip.frames).flatten(0, 1))
        feature = maps.mean(dim=(2, 3)).view(B, T, -1).mean(dim=1)
        behind, logits = self.neck(feature)
        return Output(embedding=behind, logits=(logits,), features=(feature,)) if self.training else Output(embedding=behind)

    def load_pretrained(self, weights: Mapping[str, Tensor], where: object) -> None:
        """Start from ImageNet weights in torchvision's and timm's naming; their classifier is dropped."""
        # files written before PyTorch 0.4.1 lack the counters of batch norm, which nothing here reads
        counters = {name: value for name, value in self.backbone.state_dict().items() if name.endswith("num_batches_tracked")}
        backbone = {name: value for name, value in weights.items() if not name.startswith("fc.")}
        load_into(self.backbone, counters | backbone, where=where)


def _backbone(layers: tuple[int, ...], channels: tuple[int, ...], last_stride: int) -> "TimmResNet":
    ensure_ops()
    from timm.models.resnet import Bottleneck
    from timm.models.resnet import ResNet as TimmResNet

    # timm's annotation asks for a block where its code takes the block's class
    net = TimmResNet(Bottleneck, layers=layers, channels=channels, num_classes=0, global_pool="")  # type: ignore[arg-type]
    if last_stride == 1:
        # timm's output_stride=16 would dilate the fourth stage as well; the papers only move its stride
        block = net.get_submodule("layer4.0")
        for convolution in (block.get_submodule("conv2"), block.get_submodule("downsample.0")):
            convolution.stride = (1, 1)  # type: ignore[assignment]
    return net
