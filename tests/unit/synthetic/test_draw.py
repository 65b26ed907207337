import math

import numpy as np
import pytest

from reproid.synthetic import _draw as draw


def _part(**values: float) -> np.ndarray:
    part = np.zeros(draw.COLUMNS)
    columns = {"ax": draw.AX, "ay": draw.AY, "bx": draw.BX, "by": draw.BY, "turn": draw.TURN, "relief": draw.RELIEF}
    for name, value in values.items():
        if name == "width":
            part[[draw.WA, draw.WM, draw.WB, draw.CAP_A, draw.CAP_B]] = value
        else:
            part[columns[name]] = value
    part[draw.OPACITY] = 1.0
    return part


@pytest.mark.parametrize("s", [-1.0, -0.7, -0.2, 0.0, 0.4, 0.9, 1.0])
def test_turn_of_follows_the_arcsine(s: float) -> None:
    assert draw.turn_of(s) == pytest.approx(math.asin(s) / (2 * math.pi), abs=2e-5)


def test_draw_parts_round_part_matches_distance_to_its_axis() -> None:
    part = _part(ax=12, ay=8, bx=20, by=30, width=5, relief=0.5)
    canvas, label = np.zeros((40, 32, 3), np.float32), np.zeros((40, 32), np.uint8)
    draw.draw_parts(canvas, label, part[None], np.array([0]), np.ones((1, 8, 8, 3), np.float32), np.array([0.0, 1.0, 0.5]))
    a, b = np.array([12, 8]), np.array([20, 30])
    for y in range(40):
        for x in range(32):
            t = np.clip(np.dot([x - 12, y - 8], b - a) / np.dot(b - a, b - a), 0, 1)
            distance = np.hypot(*(np.array([x, y]) - a - t * (b - a)))
            assert (label[y, x] == 1) == (distance <= 5), (x, y, distance)


def test_draw_parts_later_part_covers_earlier_one() -> None:
    parts = np.stack(
        [_part(ax=10, ay=4, bx=10, by=16, width=4, relief=0.5), _part(ax=10, ay=8, bx=10, by=12, width=2, relief=0.5)]
    )
    for order, inside in (([0, 1], 2), ([1, 0], 1)):
        canvas, label = np.zeros((20, 20, 3), np.float32), np.zeros((20, 20), np.uint8)
        textures = np.ones((1, 8, 8, 3), np.float32)
        draw.draw_parts(canvas, label, parts, np.array(order), textures, np.array([0.0, 1.0, 0.5]))
        assert label[10, 10] == inside


@pytest.mark.parametrize(("turn", "expected"), [(0.5, 1.0), (0.0, 0.0)], ids=["front", "back"])
def test_draw_parts_turn_shows_the_other_side(turn: float, expected: float) -> None:
    textures = np.zeros((1, 48, 48, 3), np.float32)
    textures[:, :, 12:36] = 1.0  # the front half is white
    canvas, label = np.zeros((20, 20, 3), np.float32), np.zeros((20, 20), np.uint8)
    part = _part(ax=10, ay=4, bx=10, by=16, width=6, turn=turn)
    draw.draw_parts(canvas, label, part[None], np.array([0]), textures, np.array([0.0, 1.0, 1.0]))
    assert canvas[10, 10, 0] == pytest.approx(expected)


def test_fill_background_whole_steps_copy_the_scene() -> None:
    scene = np.random.default_rng(0).random((12, 30, 3), np.float32)
    canvas = np.empty((6, 5, 3), np.float32)
    draw.fill_background(canvas, scene, 7.0, 3.0, 1.0)
    np.testing.assert_allclose(canvas, scene[3:9, 7:12], atol=1e-6)


def test_fill_background_beyond_the_end_is_mirrored() -> None:
    scene = np.random.default_rng(0).random((12, 30, 3), np.float32)
    canvas = np.empty((6, 5, 3), np.float32)
    draw.fill_background(canvas, scene, 31.0, 3.0, 1.0)
    np.testing.assert_allclose(canvas, scene[3:9, 27:22:-1], atol=0.01)


def test_develop_plain_camera_returns_the_canvas() -> None:
    canvas = np.random.default_rng(0).random((6, 5, 3), np.float32)
    curve = np.round(np.linspace(0, 255, 1024)).astype(np.uint8)
    image = draw.develop(canvas, np.eye(3), curve, np.zeros(64, np.float32), 3, 0.0, 1.0)
    np.testing.assert_allclose(image, canvas * 255, atol=1.0)


def test_develop_swapping_matrix_swaps_colours() -> None:
    canvas = np.zeros((4, 4, 3), np.float32)
    canvas[..., 0] = 1.0
    curve = np.round(np.linspace(0, 255, 1024)).astype(np.uint8)
    image = draw.develop(canvas, np.eye(3)[::-1].copy(), curve, np.zeros(64, np.float32), 0, 0.2, 1.0)
    assert image[2, 2].tolist() == [0, 0, 255]
