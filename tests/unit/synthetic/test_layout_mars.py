import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from reproid.catalog.synthetic import SyntheticSpec
from reproid.datasets.mars import read_mars
from reproid.synthetic.layouts.mars import LAYOUT
from reproid.synthetic.plan import make_world


@st.composite
def specs(draw: st.DrawFn) -> SyntheticSpec:
    cameras, frames = draw(st.integers(2, 9)), sorted((draw(st.integers(2, 30)), draw(st.integers(2, 30))))
    return SyntheticSpec(
        seed=draw(st.integers(0, 2**40)), cameras=cameras, cameras_per_person=(2, draw(st.integers(2, 9))),
        train_persons=draw(st.integers(4, 12)), test_persons=draw(st.integers(4, 12)),
        tracklets_per_camera=(1, draw(st.integers(1, 4))), frames=(frames[0], frames[1]),
        junk=draw(st.integers(0, 5)), distractors=draw(st.integers(0, 5)),
    )  # fmt: skip


@given(specs())
@settings(max_examples=25, deadline=None)
def test_read_mars_returns_what_write_info_wrote(spec: SyntheticSpec) -> None:
    world = make_world(spec)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for folder in ("bbox_train", "bbox_test"):
            (root / folder).mkdir()
        LAYOUT.write_info(world, root)
        layout = read_mars(root)
    read = [(t.tracklet_id, t.pid, t.camid, t.subset, list(t.frames)) for t in layout.tracklets]
    assert read == [(LAYOUT.tracklet_id(world, t), t.pid, t.camid, t.subset, LAYOUT.paths(world, t)) for t in world.tracklets]
    queries = {a.tracklet_id for a in layout.assignments if a.role == "query"}
    assert queries == {LAYOUT.tracklet_id(world, t) for t in world.tracklets if t.query}
