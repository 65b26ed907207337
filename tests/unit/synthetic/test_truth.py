from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reproid.catalog.synthetic import SyntheticSpec
from reproid.datasets.layouts import build_index
from reproid.errors import InputError
from reproid.synthetic._motion import block_means, pixel_displacement
from reproid.synthetic._skeleton import COCO
from reproid.synthetic._stage import make_stage
from reproid.synthetic.frames import draw_frames
from reproid.synthetic.plan import make_world
from reproid.synthetic.render import Rendered, render_dataset
from reproid.synthetic.truth import FrameTruth, decode_mask, encode_mask, frame_truths, motion_between

CLEAN = SyntheticSpec(
    train_persons=4, test_persons=4, cameras=4, cameras_per_person=(4, 4), frames=(6, 6), height=128, width=64,
    noise=0, lighting=0, cut_bodies=0, occlusion=0, blur=0, colour_response=0, truth=True,
)  # fmt: skip


def _truths(spec: SyntheticSpec, count: int) -> list[list[FrameTruth]]:
    world = make_world(spec)
    out = []
    for tracklet in [t for t in world.tracklets if t.pid > 0][:count]:
        stage = make_stage(world, tracklet)
        labels = [label for _, label in draw_frames(world, tracklet, stage)]
        out.append(list(frame_truths(world, tracklet, stage, labels)))
    return out


@given(arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 9))))
def test_decode_mask_inverts_encode_mask(mask: np.ndarray) -> None:
    runs = encode_mask(mask)
    np.testing.assert_array_equal(decode_mask(runs, height=mask.shape[0], width=mask.shape[1]), mask)
    assert all(run > 0 for run in runs[1:])


def test_encode_mask_runs_down_the_columns_from_false() -> None:
    assert encode_mask(np.array([[True, False], [True, True]])) == [0, 2, 1, 1]


def test_decode_mask_wrong_sum_is_refused() -> None:
    with pytest.raises(ValueError, match="runs must add up to 12, got 5"):
        decode_mask([2, 3], height=3, width=4)


def test_pixel_displacement_warps_the_first_frame_onto_the_others() -> None:
    """The picture is the witness: a known point looks the same in both frames; without motion it does not."""
    world = make_world(CLEAN)
    moved_errors, still_errors = [], []
    for tracklet in [t for t in world.tracklets if t.pid > 0][:6]:
        stage = make_stage(world, tracklet)
        (first, first_label), *_, (last, last_label) = draw_frames(world, tracklet, stage)
        moved = pixel_displacement(
            last_label, first_label, (stage.parts[-1], stage.parts[0]), (stage.scene_at[-1], stage.scene_at[0])
        )
        y, x = np.nonzero(~np.isnan(moved[..., 0]))
        assert len(y) > 0.2 * last_label.size
        rx, ry = (np.floor(v + moved[y, x, k] + 0.5).astype(int) for k, v in ((0, x), (1, y)))
        moved_errors.append(np.abs(last[y, x].astype(int) - first[ry, rx]).mean())
        still_errors.append(np.abs(last[y, x].astype(int) - first[y, x]).mean())
    assert np.mean(moved_errors) < 9
    assert np.mean(moved_errors) < 0.4 * np.mean(still_errors)


def test_block_means_takes_the_larger_part_of_a_block() -> None:
    moved, body = np.zeros((16, 32, 2), np.float32), np.zeros((16, 32), bool)
    body[:, :12] = True
    moved[:, :12] = (3, -1)
    moved[:, 20:] = np.nan
    mean, share = block_means(moved, body)
    np.testing.assert_array_equal(mean[:, 0], [[3, 0], [-1, 0]])
    np.testing.assert_allclose(share, [[12 / 16, 4 / 16]])


def test_motion_between_is_the_truth_of_the_file_and_of_any_other_pair() -> None:
    world = make_world(CLEAN)
    tracklet = world.tracklets[0]
    truths = _truths(CLEAN, 1)[0]
    displacement, share = motion_between(world, tracklet, frame=5, reference=0)
    np.testing.assert_array_equal(displacement, truths[5].displacement)
    np.testing.assert_array_equal(share, truths[5].share)
    there, back = (motion_between(world, tracklet, frame=a, reference=b)[0] for a, b in ((3, 2), (2, 3)))
    known = np.isfinite(there) & np.isfinite(back)
    assert np.median(np.abs((there + back)[known])) < 1.0
    assert np.median(np.abs(there[known])) > 0.5


def test_motion_between_frame_beyond_the_tracklet_is_refused() -> None:
    world = make_world(CLEAN)
    with pytest.raises(InputError, match=r"0001C1T0001: no such frame; expected 0..5, got 6"):
        motion_between(world, world.tracklets[0], frame=6, reference=0)


def test_frame_truths_the_reference_has_not_moved() -> None:
    for frames in _truths(CLEAN.model_copy(update={"truth_clip_frames": 4}), 3):
        assert [t.reference for t in frames] == [0, 0, 0, 0, 4, 4]
        for k in (0, 4):
            assert np.nanmax(np.abs(frames[k].displacement)) < 1e-3
            assert frames[k].share.min() >= 0.5


def test_frame_truths_visible_joints_lie_on_the_mask() -> None:
    seen = np.zeros(len(COCO))
    for frames in _truths(CLEAN, 12):
        for truth in frames:
            for j, (x, y, v) in enumerate(truth.joints):
                if v == 2:
                    assert truth.mask[int(np.floor(y + 0.5)), int(np.floor(x + 0.5))]
                    seen[j] += 1
    assert (seen > 0).all(), [COCO[j] for j in np.flatnonzero(seen == 0)]


def test_frame_truths_free_person_is_not_occluded() -> None:
    assert all(truth.occlusion == 0 for frames in _truths(CLEAN, 8) for truth in frames)


def test_frame_truths_occluded_person_loses_what_the_mask_loses() -> None:
    spec = CLEAN.model_copy(update={"occlusion": 1.0})
    shares = []
    for free, hidden in zip(_truths(CLEAN, 8), _truths(spec, 8), strict=True):
        for a, b in zip(free, hidden, strict=True):
            assert b.occlusion == pytest.approx(1 - b.mask.sum() / a.mask.sum(), abs=1e-6)
            assert not (b.mask & ~a.mask).any()
            shares.append(b.occlusion)
    assert max(shares) > 0.2


def test_render_dataset_truth_has_a_row_per_image_and_changes_no_pixel(
    tiny: SyntheticSpec, rendered: Rendered, tmp_path: Path
) -> None:
    out = render_dataset(tiny.model_copy(update={"truth": True}), tmp_path / "set", workers=2)
    assert out.digest == rendered.digest
    rows = pq.read_table(tmp_path / "set/truth/images.parquet").to_pylist()
    index = build_index("tiny", tmp_path / "set", layout="mars")
    assert [row["image"] for row in rows] == [frame for t in index.records.values() for frame in t.frames]
    assert [row["tracklet_id"] for row in rows] == [t.tracklet_id for t in index.records.values() for _ in t.frames]
    assert {len(row["joints"]) for row in rows} == {51}
    assert {(len(row["displacement"]), len(row["share"])) for row in rows} == {(2 * 4 * 2, 4 * 2)}
    persons = pq.read_table(tmp_path / "set/truth/persons.parquet")
    assert persons.column("pid").to_pylist() == list(range(1, 9))
