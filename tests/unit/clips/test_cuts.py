from hypothesis import given, settings
from hypothesis import strategies as st

from reproid.catalog.settings import Clips, Settings
from reproid.clips.cuts import cut_tracklets
from reproid.datasets.index import Tracklet


def tracklet(name: str, n: int) -> Tracklet:
    return Tracklet(tracklet_id=name, pid=1, camid=0, frames=tuple(f"{name}/{k}" for k in range(n)), width=4, height=8)


def test_cut_tracklets_last_piece_takes_what_is_left() -> None:
    pieces = cut_tracklets([tracklet("a", 100), tracklet("b", 20), tracklet("c", 63)], 32)
    assert [(p.tracklet_id, len(p.frames), p.width) for p in pieces] == [
        ("a#0", 32, 4), ("a#1", 32, 0), ("a#2", 36, 0), ("b", 20, 4), ("c", 63, 4),
    ]  # fmt: skip
    assert cut_tracklets([tracklet("a", 100)], None) == (tracklet("a", 100),)


@settings(deadline=None)
@given(n=st.integers(1, 400), frames=st.sampled_from([1, 32, 48]) | st.integers(1, 400))
def test_cut_tracklets_keeps_every_frame_once_in_order(n: int, frames: int) -> None:
    pieces = cut_tracklets([tracklet("a", n)], frames)
    assert [frame for piece in pieces for frame in piece.frames] == list(tracklet("a", n).frames)
    assert len(pieces) == max(1, n // frames)
    assert all(frames <= len(piece.frames) < 2 * frames for piece in pieces) or len(pieces) == 1


def test_cut_is_left_out_of_settings_that_have_none() -> None:
    assert "cut" not in Settings(method="x").model_dump(mode="json")["clips"]
    assert Settings(method="x", clips=Clips(cut=48)).model_dump(mode="json")["clips"]["cut"] == 48
