"""Who is on which side: the labels of queries and gallery, and what a protocol makes of them."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from reproid.catalog.protocols import Protocol
from reproid.errors import InputError

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Strings = npt.NDArray[np.str_]

JUNK = -1
CLIP_FRAMES, MAX_CLIPS = 4, 41


@dataclass(frozen=True, kw_only=True)
class Tracklets:
    """Labels of n tracklets, in the order of their rows."""

    ids: Strings
    """[n] names of the tracklets."""
    pids: Ints
    """[n] persons; -1 is junk, every other value is a label (0, the distractors, matches no query unless a query has it)."""
    camids: Ints
    """[n] cameras."""
    n_frames: Ints | None = None
    """[n] lengths in frames; needed by protocols that list cameras per frame."""
    is_query: Bools | None = None
    """[n] for gallery tracklets: whether they are queries too; needed by protocols that take those out."""

    def __len__(self) -> int:
        return len(self.pids)

    def take(self, rows: Ints | Bools) -> "Tracklets":
        """Return the labels of ``rows``, indices or a mask [n]."""
        return Tracklets(
            ids=self.ids[rows],
            pids=self.pids[rows],
            camids=self.camids[rows],
            n_frames=None if self.n_frames is None else self.n_frames[rows],
            is_query=None if self.is_query is None else self.is_query[rows],
        )


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The queries and the gallery that a protocol ranks, with the cameras as the protocol reads them."""

    query_rows: Ints
    """[Q] rows of the queries among those given."""
    gallery_rows: Ints
    """[G] rows of the gallery among those given, junk left out."""
    queries: Tracklets
    gallery: Tracklets
    gallery_count: int
    """Tracklets in the gallery as the protocol counts them: with ignored junk."""
    remove_same_camera: bool
    """Whether gallery tracklets of the query's person and camera are left out of its ranking."""

    def removed(self, start: int, stop: int) -> Bools:
        """Return [stop - start, G] which gallery tracklets are not in the rankings of the queries start..stop-1."""
        part, gallery = slice(start, stop), self.gallery
        same_camera = self.queries.camids[part, None] == gallery.camids[None]
        removed: Bools = (self.queries.pids[part, None] == gallery.pids[None]) & same_camera & self.remove_same_camera
        return removed

    def of_queries(self, places: Ints) -> "Selection":
        """Return the same with only the queries at ``places``, indices from 0..Q-1."""
        return replace(self, query_rows=self.query_rows[places], queries=self.queries.take(places))


def select(protocol: Protocol, queries: Tracklets, gallery: Tracklets, *, where: object = None) -> Selection:
    """Return what ``protocol`` ranks.

    Args:
        protocol: the rules.
        queries: all query tracklets.
        gallery: all gallery tracklets, the queries among them or not, as the data set has it.
        where: the file that the labels come from, for messages.

    Raises:
        InputError: if the labels do not hold what the protocol needs, or nothing is left to rank.
    """
    q_keep = _in_cameras(queries, protocol.query_cameras)
    g_keep = _in_cameras(gallery, protocol.gallery_cameras)
    if protocol.gallery == "without-queries":
        if gallery.is_query is None:
            raise InputError(
                f"protocol {protocol.name} takes the queries out of the gallery",
                where=where,
                expected="an array g_is_query",
                got="none",
                fix="Add the array, or choose a protocol that keeps the queries",
            )
        g_keep &= ~gallery.is_query
    junk = gallery.pids == JUNK
    counted = g_keep if protocol.junk == "ignored" else g_keep & ~junk
    query_rows, gallery_rows = np.flatnonzero(q_keep), np.flatnonzero(g_keep & ~junk)
    for rows, side, total in ((query_rows, "queries", len(queries)), (gallery_rows, "gallery tracklets", len(gallery))):
        if len(rows) == 0:
            raise InputError(
                f"no {side} are left under protocol {protocol.name}", where=where, expected="at least 1", got=f"0 of {total}"
            )
    kept_queries, kept_gallery = queries.take(query_rows), gallery.take(gallery_rows)
    if protocol.cameras == "flat-per-frame":
        kept_queries = replace(kept_queries, camids=_head_of_flat_list(kept_queries, protocol, "q_n_frames", where))
        kept_gallery = replace(kept_gallery, camids=_head_of_flat_list(kept_gallery, protocol, "g_n_frames", where))
    return Selection(
        query_rows=query_rows,
        gallery_rows=gallery_rows,
        queries=kept_queries,
        gallery=kept_gallery,
        gallery_count=int(counted.sum()),
        remove_same_camera=protocol.remove == "same-person-same-camera",
    )


def _in_cameras(tracklets: Tracklets, cameras: tuple[int, ...] | None) -> Bools:
    if cameras is None:
        return np.ones(len(tracklets), bool)
    return np.isin(tracklets.camids, cameras)


def _head_of_flat_list(tracklets: Tracklets, protocol: Protocol, array: str, where: object) -> Ints:
    """Return the cameras that code reads which appends a tracklet's camera once per frame of its clips: the list's head."""
    if tracklets.n_frames is None:
        raise InputError(
            f"protocol {protocol.name} needs the tracklets' lengths", where=where, expected=f"an array {array}", got="none"
        )
    clips = np.minimum(-(-tracklets.n_frames // CLIP_FRAMES), MAX_CLIPS)
    # Only n entries are read, and each tracklet gives at least 4: the first n tracklets are always enough.
    head: Ints = np.repeat(tracklets.camids, clips * CLIP_FRAMES)[: len(tracklets)]
    return head
