import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reproid._torchvision import ensure_ops, nms

WITHOUT_COMPILED_OPS = """
import torch
load = torch.ops.load_library
def refuse(path):
    if "torchvision" in str(path):
        raise OSError("built for another torch")
    return load(path)
torch.ops.load_library = refuse
from reproid._torchvision import ensure_ops
assert ensure_ops() is False
assert ensure_ops() is False
import torchvision, timm
boxes = torch.tensor([[0, 0, 10, 10], [1, 1, 10, 10], [20, 20, 30, 30.0]])
scores = torch.tensor([0.5, 0.9, 0.1])
print(torchvision.ops.nms(boxes, scores, 0.5).tolist())
print(torchvision.ops.batched_nms(boxes, scores, torch.tensor([0, 1, 0]), 0.5).tolist())
"""


def _greedy(boxes: list[list[float]], scores: list[float], threshold: float) -> list[int]:
    """Literal non-maximum suppression."""

    def overlap(a: list[float], b: list[float]) -> float:
        width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
        common = max(width, 0) * max(height, 0)
        return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)

    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if all(overlap(boxes[i], boxes[j]) <= threshold for j in kept):
            kept.append(i)
    return kept


corner, side = st.integers(0, 20), st.integers(1, 12)
box = st.builds(lambda x, y, w, h: [float(x), float(y), float(x + w), float(y + h)], corner, corner, side, side)


@given(boxes=st.lists(box, max_size=12), threshold=st.sampled_from([0.11, 0.33, 0.61]))
def test_nms_any_boxes_equals_the_literal_algorithm(boxes: list[list[float]], threshold: float) -> None:
    scores = [1 - 0.01 * ((7 * i) % 13) for i in range(len(boxes))]
    found = nms(torch.tensor(boxes).reshape(-1, 4), torch.tensor(scores), threshold)
    assert found.dtype == torch.int64
    assert found.tolist() == _greedy(boxes, scores, threshold)


def test_ensure_ops_without_compiled_operators_lets_torchvision_and_timm_work() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_COMPILED_OPS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[1, 2]\n[1, 0, 2]\n"


def test_ensure_ops_here_makes_torchvision_importable() -> None:
    ensure_ops()
    torchvision = pytest.importorskip("torchvision")
    boxes = torch.tensor([[0, 0, 10, 10], [1, 1, 10, 10.0]])
    assert torchvision.ops.nms(boxes, torch.tensor([0.2, 0.9]), 0.5).tolist() == [1]
