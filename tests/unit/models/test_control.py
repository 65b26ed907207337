from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from reproid.catalog.protocols import get_protocol
from reproid.clips.clip import Clip
from reproid.models.control.model import LEVELS, colour_histogram
from reproid.models.registry import create_model
from reproid.retrieval.evaluation import Evaluation, Options, evaluate
from reproid.retrieval.inputs import read_embeddings

PERSONS, CAMERAS, DISTRACTORS = 12, 4, 9


def _world() -> Clip:
    """Twelve persons in two to four of four cameras, two tracklets in camera 0; nine distractors, three junk tracklets."""
    rows = [(pid, camid) for pid in range(1, PERSONS + 1) for camid in range(2 + pid % 3)]
    rows += [(pid, 0) for pid in range(1, PERSONS + 1)]
    rows += [(0, k % CAMERAS) for k in range(DISTRACTORS)] + [(-1, k) for k in range(3)]
    n = len(rows)
    return Clip(
        frames=torch.randint(0, 256, (n, 1, 3, 8, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
        pid=torch.tensor([pid for pid, _ in rows]),
        camid=torch.tensor([camid for _, camid in rows]),
        n_real=torch.ones(n, dtype=torch.int64),
        tracklet_id=tuple(f"t{k}" for k in range(n)),
    )


def _describe(clip: Clip, kind: str, seed: int = 0) -> np.ndarray:
    with torch.inference_mode():
        return create_model("control", {"kind": kind}, classes=3, seed=seed).eval()(clip).embedding.numpy()


def _evaluate(clip: Clip, embeddings: np.ndarray, folder: Path) -> Evaluation:
    n = len(clip)
    np.savez(
        folder / "dense.npz",
        embeddings=embeddings,
        tracklet_ids=np.array(clip.tracklet_id),
        pids=clip.pid.numpy().astype(np.int32),
        camids=clip.camid.numpy().astype(np.int16),
        n_frames=np.ones(n, dtype=np.int32),
        is_query=clip.pid.numpy() > 0,
        is_gallery=np.ones(n, dtype=bool),
        sampling=np.array("dense"),
        pooling=np.array("mean"),
        frames_per_clip=np.array(1),
    )
    return evaluate(read_embeddings(folder / "dense.npz"), get_protocol("mars-standard"), Options(resamples=0))


def test_oracle_scores_everything_whatever_distractors_there_are(tmp_path: Path) -> None:
    clip = _world()
    scores = _evaluate(clip, _describe(clip, "oracle"), tmp_path)
    assert (scores.map, scores.minp, scores.rank(1)) == (1.0, 1.0, 1.0)


def test_camera_alone_finds_less_than_chance(tmp_path: Path) -> None:
    clip = _world()
    scores = _evaluate(clip, _describe(clip, "camera"), tmp_path)
    assert scores.rank(1) == 0.0
    assert scores.map < 0.5 * scores.chance["map"]


def test_random_scores_chance_on_average(tmp_path: Path) -> None:
    """The evaluation's own check: the mean over 200 seeds lies within four standard errors of the exact expectation."""
    clip = _world()
    found = [_evaluate(clip, _describe(clip, "random", seed), tmp_path) for seed in range(200)]
    for name, values in {
        "map": [scores.map for scores in found],
        "minp": [scores.minp for scores in found],
        **{f"rank{k}": [scores.rank(k) for scores in found] for k in (1, 5, 10)},
    }.items():
        error = np.std(values, ddof=1) / len(values) ** 0.5
        assert error < 0.02
        assert np.mean(values) == pytest.approx(found[0].chance[name], abs=4 * error), name


@pytest.mark.parametrize(
    ("kind", "same"),
    [("random", "tracklet_id"), ("camera", "camid"), ("oracle", "pid")],
)
def test_codes_are_equal_where_the_name_is_and_else_independent(kind: str, same: str) -> None:
    clip = _world()
    codes = _describe(clip, kind).astype(np.float64)
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    names = np.array([str(value) for value in (getattr(clip, same) if same == "tracklet_id" else getattr(clip, same).tolist())])
    alike, cosines = names[:, None] == names[None], codes @ codes.T
    assert np.allclose(cosines[alike], 1)
    assert abs(cosines[~alike]).max() < 0.7


def test_codes_depend_on_the_seed_and_on_no_frame() -> None:
    clip = _world()
    black = replace(clip, frames=torch.zeros_like(clip.frames))
    assert np.array_equal(_describe(clip, "random"), _describe(black, "random"))
    assert not np.array_equal(_describe(clip, "random"), _describe(clip, "random", seed=1))


def test_colour_histogram_counts_the_pixels_of_all_frames() -> None:
    frames = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    frames[0, :, :2] = 200  # half of the first frame is white, the rest of it black; the second frame is grey
    frames[1] = 90
    found = colour_histogram(frames).square()
    bins = {int(k): round(float(found[k]), 6) for k in found.nonzero()}
    grey, white = int(0.45 * LEVELS), int(0.90 * LEVELS)
    assert bins == {0: 0.25, (white * LEVELS + white) * LEVELS + white: 0.25, (grey * LEVELS + grey) * LEVELS + grey: 0.5}


def test_colour_histogram_does_not_see_exposure_and_white_balance() -> None:
    frames = torch.randint(20, 100, (2, 3, 16, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))
    brighter = frames * torch.tensor([2, 1, 2], dtype=torch.uint8)[:, None, None]
    assert torch.allclose(colour_histogram(frames), colour_histogram(brighter), atol=1e-6)


def test_colour_histogram_black_frame_is_one_bin() -> None:
    assert colour_histogram(torch.zeros(1, 3, 4, 4, dtype=torch.uint8)).tolist() == [1.0] + [0.0] * (LEVELS**3 - 1)
