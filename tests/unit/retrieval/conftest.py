"""Small problems and files for the retrieval tests."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT.parent / "shared"


def _load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem.replace("-", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def oracle():
    return _load(Path(__file__).with_name("oracle.py"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real metadata beside the repository."""
    if not (SHARED / "metadata" / "mars").is_dir():
        pytest.skip("the real MARS metadata are not beside the repository")
    return SHARED


@pytest.fixture(scope="session")
def synth():
    """The reference problem: distances, query pids, gallery pids, query cameras, gallery cameras."""
    return _load(ROOT / "benchmarks" / "_problem.py").synth()


@pytest.fixture
def embedding_arrays() -> dict[str, np.ndarray]:
    """120 tracklets of 12 persons in 4 cameras, the first 40 of them queries and all of them gallery."""
    rng = np.random.default_rng(3)
    n = 120
    pids = np.concatenate([rng.integers(1, 13, 100), [0] * 15, [-1] * 5])
    return {
        "embeddings": (rng.standard_normal((14, 16))[pids + 1] + 1.2 * rng.standard_normal((n, 16))).astype(np.float32),
        "tracklet_ids": np.array([f"t{i:04d}" for i in range(n)]),
        "pids": pids.astype(np.int32),
        "camids": rng.integers(0, 4, n).astype(np.int16),
        "n_frames": rng.integers(2, 200, n).astype(np.int32),
        "is_query": np.arange(n) < 40,
        "is_gallery": np.ones(n, bool),
        "sampling": np.array("dense"),
        "pooling": np.array("mean"),
        "frames_per_clip": np.array(8),
    }


@pytest.fixture
def embedding_file(tmp_path, embedding_arrays) -> Path:
    path = tmp_path / "dense.npz"
    np.savez(path, **embedding_arrays)
    return path


@pytest.fixture
def distance_arrays() -> dict[str, np.ndarray]:
    """30 queries and 80 gallery tracklets of 6 persons and distractors, with ties."""
    rng = np.random.default_rng(4)
    return {
        "distances": (rng.integers(0, 40, (30, 80)) / 8).astype(np.float32),
        "q_pids": rng.integers(1, 8, 30),
        "g_pids": rng.integers(-1, 7, 80),
        "q_camids": rng.integers(0, 3, 30),
        "g_camids": rng.integers(0, 3, 80),
    }


@pytest.fixture
def distance_file(tmp_path, distance_arrays) -> Path:
    path = tmp_path / "distances.npz"
    np.savez(path, **distance_arrays)
    return path
