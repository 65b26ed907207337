import numpy as np
import pytest

from reproid.synthetic._person import draw_person
from reproid.synthetic._skeleton import COCO, JOINTS, View, project, walk

PHASE = np.linspace(0, 2 * np.pi, 40)


@pytest.mark.parametrize("seed", range(4))
def test_walk_bones_keep_their_length(seed: int) -> None:
    joints = walk(draw_person(np.random.default_rng(seed)), PHASE)
    for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")):
        for side in ("left", "right"):
            lengths = np.linalg.norm(joints[:, JOINTS[f"{side}_{a}"]] - joints[:, JOINTS[f"{side}_{b}"]], axis=1)
            assert np.ptp(lengths) < 0.03 * lengths.mean(), (side, a, b)


def test_walk_one_foot_stands_on_the_ground() -> None:
    joints = walk(draw_person(np.random.default_rng(0)), PHASE)
    feet = joints[:, [JOINTS[name] for name in ("left_toe", "right_toe", "left_heel", "right_heel")], 2]
    assert np.ptp(feet.min(axis=1)) < 1e-9


def test_walk_arms_swing_against_legs() -> None:
    joints = walk(draw_person(np.random.default_rng(0)), PHASE)
    wrist, ankle = (joints[:, JOINTS[f"left_{name}"], 1] for name in ("wrist", "ankle"))
    assert np.corrcoef(wrist, ankle)[0, 1] < -0.5


def test_walk_half_a_cycle_mirrors_the_body() -> None:
    joints = walk(draw_person(np.random.default_rng(0)), np.array([0.7, 0.7 + np.pi]))
    left, right = (joints[k, JOINTS[f"{side}_ankle"]] for k, side in enumerate(("left", "right")))
    np.testing.assert_allclose(left[1:], right[1:], atol=0.02)


@pytest.mark.parametrize(("azimuth", "right"), [(0.0, "left"), (np.pi, "right")], ids=["front", "back"])
def test_project_shows_the_side_that_the_camera_sees(azimuth: float, right: str) -> None:
    joints = walk(draw_person(np.random.default_rng(0)), PHASE[:1])
    seen = project(joints, View(azimuth=np.array([azimuth]), elevation=np.zeros(1)))[0]
    other = "right" if right == "left" else "left"
    assert seen[JOINTS[f"{right}_shoulder"], 0] > seen[JOINTS[f"{other}_shoulder"], 0]
    assert (seen[JOINTS["nose"], 2] > seen[JOINTS["left_ear"], 2]) == (azimuth == 0.0)


def test_project_from_above_shortens_the_body() -> None:
    joints = walk(draw_person(np.random.default_rng(0)), PHASE[:1])
    level, above = (project(joints, View(azimuth=np.zeros(1), elevation=np.array([e])))[0, :, 1] for e in (0.0, 0.9))
    assert np.ptp(above) < 0.75 * np.ptp(level)


def test_coco_has_its_seventeen_joints_first() -> None:
    assert len(COCO) == 17
    assert [JOINTS[name] for name in COCO] == list(range(17))
