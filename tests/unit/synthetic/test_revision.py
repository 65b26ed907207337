"""What the renderer's revision stands for: labels and truth that are the same everywhere, pixels in the locked environment.

A failing test here means that equal parameters give another set: raise RENDERER_REVISION and write the new digests below.
"""

import hashlib
import re
from importlib.metadata import version
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from reproid.catalog.synthetic import RENDERER_REVISION, SyntheticSpec
from reproid.synthetic.render import Rendered, render_dataset

ROOT = Path(__file__).resolve().parents[3]
LOCKED = re.findall(r"^(numpy|numba|pillow)==(\S+)", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE)
SPEC = SyntheticSpec(
    train_persons=4, test_persons=4, cameras=3, cameras_per_person=(2, 3), tracklets_per_camera=(1, 2), frames=(8, 12),
    distractors=2, junk=2, occlusion=0.5, height=64, width=32, seed=11, truth=True,
)  # fmt: skip
TRUTH = {5: "596c2c4890271c2c"}
PIXELS = {5: "d5e20545281f2c72"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return render_dataset(SPEC, tmp_path_factory.mktemp("revision") / "set")


def test_truth_of_this_revision_is_the_same_everywhere(made: Rendered) -> None:
    digest = hashlib.sha256()
    for name in ("images", "persons"):
        for row in pq.read_table(made.folder / f"truth/{name}.parquet").to_pylist():
            digest.update(repr(sorted(row.items())).encode())
    assert digest.hexdigest()[:16] == TRUTH[RENDERER_REVISION]


def test_pixels_of_this_revision_are_the_same_in_the_locked_environment(made: Rendered) -> None:
    assert len(LOCKED) == 3
    other = [f"{name} {version(name)}" for name, locked in LOCKED if version(name) != locked.rstrip("\\ ")]
    if other:
        pytest.skip(f"not the locked environment: {', '.join(other)}")
    assert made.digest[:16] == PIXELS[RENDERER_REVISION]
