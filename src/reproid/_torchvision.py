"""Makes torchvision importable beside a torch that its compiled operators were not built for (a CUDA wheel on a CPU-only torch).

There, `import torchvision` ends with "operator torchvision::nms does not exist", and timm and segment-anything import it.
"""

import importlib.util
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_LIBRARIES: list[torch.library.Library] = []  # definitions live as long as the object


@cache
def ensure_ops() -> bool:
    """Define what torchvision's import needs if its compiled operators do not load; call before importing timm or torchvision.

    Returns:
        True if the compiled operators load and nothing was done; False if the plain ones took their place. With these, image
        codecs of ``torchvision.io`` stay unavailable; decode with PIL.
    """
    if _compiled_ops_load():
        return True
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    library.impl("nms", nms, "CPU")  # type: ignore[no-untyped-call]
    _LIBRARIES.append(library)
    # torchvision asks for its compiled file before every nms, although the operator is there now
    from torchvision.ops import boxes

    boxes._assert_has_ops = lambda: None
    return False


def nms(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """Return the indices of the boxes that non-maximum suppression keeps, best score first.

    Args:
        boxes: [N, 4] as (x1, y1, x2, y2), x1 <= x2 and y1 <= y2.
        scores: [N].
        threshold: a box that overlaps a better one by a larger intersection over union is dropped.
    """
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = scores.argsort(descending=True, stable=True)
    kept = []
    while left.numel():
        best, left = left[0], left[1:]
        kept.append(best)
        low = torch.maximum(boxes[best, :2], boxes[left, :2])
        high = torch.minimum(boxes[best, 2:], boxes[left, 2:])
        common = (high - low).clamp(min=0).prod(dim=1)
        left = left[common <= threshold * (area[best] + area[left] - common)]
    return torch.stack(kept) if kept else torch.empty(0, dtype=torch.int64, device=boxes.device)


def _compiled_ops_load() -> bool:
    spec = importlib.util.find_spec("torchvision")
    assert spec is not None, "torchvision is in the lock"
    assert spec.origin is not None
    for path in sorted(Path(spec.origin).parent.glob("_C*")):
        try:
            torch.ops.load_library(str(path))  # type: ignore[no-untyped-call]
        except OSError:
            continue
        return True
    return False
