from dataclasses import asdict

import pytest

from reproid.catalog.synthetic import SyntheticSpec
from reproid.synthetic.layouts import layout_writer
from reproid.synthetic.plan import DISTRACTOR, JUNK, make_world

SPEC = SyntheticSpec(train_persons=20, test_persons=20, near_twins=0.5, cameras=5, cameras_per_person=(2, 4))


def test_make_world_equal_specs_give_equal_worlds() -> None:
    assert make_world(SPEC) == make_world(SPEC.model_copy())


def test_make_world_other_seed_gives_other_persons() -> None:
    other = make_world(SPEC.model_copy(update={"seed": 1}))
    assert all(other.persons[pid] != person for pid, person in make_world(SPEC).persons.items())


def test_make_world_pixel_parameters_leave_the_labels_alone() -> None:
    other = make_world(SPEC.model_copy(update={"noise": 0.0, "height": 256, "width": 128, "occlusion": 0.0}))
    assert other.tracklets == make_world(SPEC).tracklets


def test_make_world_test_persons_have_a_query_and_a_match_in_another_camera() -> None:
    world = make_world(SPEC)
    for pid in range(21, 41):
        tracklets = [t for t in world.tracklets if t.pid == pid]
        assert len({t.camid for t in tracklets}) >= 2
        assert {t.camid for t in tracklets if t.query} == {t.camid for t in tracklets}
        assert sum(t.query for t in tracklets) == len({t.camid for t in tracklets})


def test_make_world_respects_every_range() -> None:
    world = make_world(SPEC.model_copy(update={"short_tracklets": 0.0}))
    for pid in world.persons:
        cameras = [t.camid for t in world.tracklets if t.pid == pid]
        assert 2 <= len(set(cameras)) <= 4
        assert all(1 <= cameras.count(c) <= 2 for c in cameras)
    assert all(8 <= t.frames <= 24 for t in world.tracklets)


def test_make_world_short_tracklets_never_replace_the_first_one() -> None:
    world = make_world(SPEC.model_copy(update={"short_tracklets": 1.0}))
    assert all((t.frames < 8) == (t.number > 1) for t in world.tracklets if t.pid > 0)


def test_make_world_strangers_are_test_tracklets_and_no_queries() -> None:
    world = make_world(SPEC)
    for pid, count in ((JUNK, 8), (DISTRACTOR, 16)):
        strangers = [t for t in world.tracklets if t.pid == pid]
        assert len(strangers) == count
        assert all(t.subset == "test" and not t.query for t in strangers)


def test_make_world_keys_are_unique() -> None:
    keys = [t.key for t in make_world(SPEC).tracklets]
    assert len(set(keys)) == len(keys)


def test_make_world_twins_differ_in_one_attribute_and_their_gait_alone() -> None:
    world = make_world(SPEC)
    assert len(world.twins) >= 5
    for pid, (other, attribute) in world.twins.items():
        a, b = asdict(world.persons[pid]), asdict(world.persons[other])
        assert {key for key in a if a[key] != b[key]} == {attribute, "gait"}
        assert (pid <= 20) == (other <= 20)


@pytest.mark.parametrize("persons", [8, 2000])
def test_make_world_from_8_to_2000_persons_in_15_cameras(persons: int) -> None:
    half = persons // 2
    spec = SyntheticSpec(train_persons=half, test_persons=half, cameras=15, cameras_per_person=(2, 3), frames=(2, 4))
    world = make_world(spec)
    layout_writer("ls-vid").check(spec)
    assert set(world.persons) == set(range(1, persons + 1))
    assert len({t.camid for t in world.tracklets}) == 15 or persons == 8


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cameras": 16}, "less than or equal to 15"),
        ({"cameras": 1}, "greater than or equal to 2"),
        ({"frames": (9, 8)}, r"frames as \[least, most\] with least <= most, not \[9, 8\]"),
        ({"cameras_per_person": (1, 2)}, "cameras_per_person of at least 2"),
        ({"train_persons": 3, "test_persons": 3}, "from 8 to 4000"),
        ({"frames": (1, 8)}, r"frames within \[2, 999\]"),
    ],
    ids=["too many cameras", "too few cameras", "reversed range", "one camera", "too few persons", "one frame"],
)
def test_spec_impossible_value_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SyntheticSpec(**values)  # type: ignore[arg-type]
