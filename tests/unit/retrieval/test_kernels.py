import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import reproid
from reproid.retrieval._kernels import COSINE, EUCLIDEAN, pair_distances, row_norms

CODE = """
import numpy as np
import numba.core.caching as caching
caching.CacheImpl._locator_classes = []
from reproid.retrieval._kernels import row_norms
print(row_norms(np.array([[3, 4]], np.float32)).tolist())
"""


def test_compiled_without_a_folder_for_the_cache_still_runs() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[5.0]", done.stderr


@pytest.mark.parametrize(("mode", "metric"), [(COSINE, "cosine"), (EUCLIDEAN, "euclidean")])
def test_pair_distances_equal_the_reference_bit_for_bit(oracle, mode, metric) -> None:
    rng = np.random.default_rng(16)
    x, y = (rng.standard_normal((n, 40)).astype(np.float32) for n in (5, 7))
    owners, members = np.divmod(np.arange(35), 7)
    exact = (mode, x, y, row_norms(x), row_norms(y), 1.0, np.empty(0), np.empty((0, 0)))
    assert pair_distances(exact, owners, members).tobytes() == oracle.naive_distances(x, y, metric).ravel().tobytes()


def test_retrieval_imports_no_other_room() -> None:
    folder = Path(reproid.__file__).parent / "retrieval"
    allowed = ("reproid.catalog", "reproid.errors", "reproid.files", "reproid.seeds", "reproid.retrieval")
    frames = "reproid.datasets.data_folder"  # the one way to a frame's bytes, for the pictures on a page; reads files alone
    for path in sorted(folder.rglob("*.py")):
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] in (["from"], ["import"]) and words[1].startswith("reproid"):
                assert words[1].startswith(allowed) or words[1] == frames, f"{path.name}: {line}"
