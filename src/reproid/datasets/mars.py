"""MARS: Zheng et al., "MARS: A Video Benchmark for Large-Scale Person Re-identification", ECCV 2016.

Access: from the authors; for research. Tree, counted as released:

    bbox_train/0001/0001C1T0001F001.jpg           625 ids, 8,298 tracklets, 509,914 frames
    bbox_test/{00-1,0000,0002,...}/...            636 ids with -1 and 0, 12,180 tracklets, 681,089 frames
    info/{train,test}_name.txt                    one image name per line, CRLF in the original
    info/tracks_{train,test}_info.mat             start, end, pid, camera; 1-based lines of the name files
    info/query_IDX.mat                            1,980 rows of tracks_test_info, 1-based

All queries are gallery too; 870 junk (pid -1) and 3,248 distractor tracklets (pid 0) are in the gallery. What an evaluation
does with either is its protocol's matter.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reproid.datasets._read import Layout, RawTracklet, check_queries, offenders, read_matlab, require_files
from reproid.datasets.index import JUNK, Assignment, Subset
from reproid.errors import InputError

FILES = (
    *("bbox_train", "bbox_test", "info/train_name.txt", "info/test_name.txt"),
    *("info/tracks_train_info.mat", "info/tracks_test_info.mat", "info/query_IDX.mat"),
)


def read_mars(root: Path) -> Layout:
    """Read a data set in MARS's layout.

    Args:
        root: folder with bbox_train, bbox_test and info.

    Raises:
        InputError: if a file is missing, its rows do not fit the name files, or a tracklet mixes persons or cameras.
    """
    require_files(root, FILES, layout="mars")
    train, test = (_read_subset(root, subset) for subset in ("train", "test"))
    queries = read_matlab(root / "info/query_IDX.mat", "query_IDX", columns=None)
    check_queries(queries, len(test), where=root / "info/query_IDX.mat")
    chosen = sorted((queries - 1).tolist())
    assignments = (
        *(Assignment(split="official", tracklet_id=t.tracklet_id, role="train") for t in train),
        *(Assignment(split="official", tracklet_id=test[row].tracklet_id, role="query") for row in chosen),
        *(Assignment(split="official", tracklet_id=t.tracklet_id, role="gallery") for t in test),
    )
    return Layout(tracklets=(*train, *test), assignments=assignments)


def _read_subset(root: Path, subset: str) -> list[RawTracklet]:
    kind: Subset = "train" if subset == "train" else "test"
    names = (root / f"info/{kind}_name.txt").read_text(encoding="ascii", errors="replace").split()
    path = root / f"info/tracks_{kind}_info.mat"
    rows = read_matlab(path, f"track_{kind}_info", columns=4)
    _check_rows(rows, len(names), path)
    return [
        _tracklet(names[start - 1 : end], kind, (pid, camera), f"{path}, row {n}")
        for n, (start, end, pid, camera) in enumerate(rows.tolist(), start=1)
    ]


def _check_rows(rows: NDArray[np.int64], n_names: int, path: Path) -> None:
    start, end, camera = rows[:, 0], rows[:, 1], rows[:, 3]
    wrong = np.flatnonzero((start < 1) | (end < start) | (end > n_names) | (camera < 1))
    if len(wrong):
        row = int(wrong[0])
        raise InputError(
            "rows do not fit the name file",
            where=f"{path}, row {row + 1}",
            expected=f"1 <= start <= end <= {n_names} and camera >= 1",
            got=f"start, end, pid, camera = {rows[row].tolist()}; {len(wrong)} such rows",
            fix="The .mat and the name file are of different versions: fetch both again",
        )
    order = np.argsort(start, kind="stable")
    shared = np.flatnonzero(start[order][1:] <= end[order][:-1])
    if len(shared):
        one, two = sorted((int(order[shared[0]]), int(order[shared[0] + 1])))
        raise InputError(
            "tracklets share images",
            where=f"{path}, rows {one + 1} and {two + 1}",
            expected="every line of the name file in one row at most",
            got=f"{rows[one].tolist()} and {rows[two].tolist()}; {len(shared)} such pairs",
            fix="Fetch the file again",
        )


def _tracklet(names: list[str], subset: Subset, labels: tuple[int, int], where: str) -> RawTracklet:
    pid, camera = labels
    # A line too many or too few in a name file shifts all that follows: images that exist, of others. Public loaders hold all but
    # the junk to this too.
    kinds = sorted({name[:6] for name in names})
    if len(kinds) > 1 and pid != JUNK:
        raise InputError(
            "a tracklet mixes persons or cameras",
            where=where,
            expected="names that begin alike, as 0001C1",
            got=offenders(kinds),
            fix="The .mat and the name file are of different versions: fetch both again",
        )
    folder = f"bbox_{subset}/{names[0][:4]}"
    # A tracklet of the real set need not start at F001, and one T number may hold two tracklets: the first frame names it.
    first = names[0].removesuffix(".jpg")
    return RawTracklet(
        tracklet_id=first,
        pid=pid,
        camid=camera - 1,
        subset=subset,
        frames=tuple(f"{folder}/{name}" for name in names),
    )
