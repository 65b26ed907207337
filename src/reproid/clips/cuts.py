"""Long training tracklets as several shorter ones."""

from collections.abc import Sequence
from dataclasses import replace

from reproid.datasets.index import Tracklet


def cut_tracklets(tracklets: Sequence[Tracklet], frames: int | None) -> tuple[Tracklet, ...]:
    """Cut tracklets into pieces of ``frames`` frames, as public training code does.

    The last piece of a tracklet takes what is left, so that none is shorter than ``frames`` unless its tracklet is: a tracklet of
    n frames becomes max(1, n // frames) pieces. Pieces are called <tracklet>#0, <tracklet>#1, ...; a tracklet of one piece keeps
    its name.

    Args:
        tracklets: in the data set's order, which is kept.
        frames: of a piece, at least 1; None leaves all as they are.
    """
    if frames is None:
        return tuple(tracklets)
    return tuple(piece for tracklet in tracklets for piece in _pieces(tracklet, frames))


def _pieces(tracklet: Tracklet, frames: int) -> list[Tracklet]:
    n = len(tracklet.frames) // frames
    if n < 2:
        return [tracklet]
    ends = [*(frames * k for k in range(1, n)), len(tracklet.frames)]
    starts = [0, *ends[:-1]]
    pieces = [
        replace(tracklet, tracklet_id=f"{tracklet.tracklet_id}#{k}", frames=tracklet.frames[start:end])
        for k, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]
    # the index knows the size of the tracklet's first frame alone
    return [pieces[0], *(replace(piece, width=0, height=0) for piece in pieces[1:])]
