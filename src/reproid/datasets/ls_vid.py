"""LS-VID: Li et al., "Global-Local Temporal Representations for Video Person Re-Identification", ICCV 2019.

Access: a signed form, from the authors; for research. Tree, counted as released (training 842 ids, 2,831 tracklets; test 2,730
ids, 11,333 tracklets, of which 3,504 are queries; the 200 ids for validation are not read):

    tracklet_{train,test}/0001/0001_0001_01_0001.jpg      four fields; the third is the camera, 1-based
    list_sequence/list_seq_{train,test}.txt               one tracklet per line: "prefix pid"; its frames are prefix*
    test/data/info_test.mat                               HDF5 (MATLAB 7.3); query [1, n]: 1-based lines of list_seq_test.txt

All test tracklets are gallery here, the queries too: whether they stay in it is the protocol's matter.
"""

from pathlib import Path

from reproid.datasets._read import Layout, RawTracklet, check_queries, read_matlab73, require_files
from reproid.datasets.data_folder import DataFolder
from reproid.datasets.index import Assignment, Subset
from reproid.errors import InputError

LISTS = {"train": "list_sequence/list_seq_train.txt", "test": "list_sequence/list_seq_test.txt"}
QUERIES = "test/data/info_test.mat"
FIELDS = "person_tracklet_camera_frame"


def read_ls_vid(root: Path) -> Layout:
    """Read a data set in LS-VID's layout.

    Args:
        root: folder with tracklet_train, tracklet_test, list_sequence and test.

    Raises:
        InputError: if a file is missing, a line or a query does not fit, or images of a tracklet have other names.
    """
    require_files(root, ["tracklet_train", "tracklet_test", *LISTS.values(), QUERIES], layout="ls-vid")
    train, test = _read_list(root, "train"), _read_list(root, "test")
    queries = read_matlab73(root / QUERIES, "query")
    check_queries(queries, len(test), where=root / QUERIES)
    assignments = (
        *(Assignment(split="official", tracklet_id=t.tracklet_id, role="train") for t in train),
        *(Assignment(split="official", tracklet_id=test[k].tracklet_id, role="query") for k in sorted((queries - 1).tolist())),
        *(Assignment(split="official", tracklet_id=t.tracklet_id, role="gallery") for t in test),
    )
    return Layout(tracklets=(*train, *test), assignments=assignments)


def _read_list(root: Path, subset: Subset) -> list[RawTracklet]:
    path = root / LISTS[subset]
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    data, listed = DataFolder(root), dict[str, list[str]]()
    return [_tracklet(data, line, subset, f"{path}, line {n}", listed) for n, line in enumerate(lines, start=1) if line.strip()]


def _tracklet(data: DataFolder, line: str, subset: Subset, where: str, listed: dict[str, list[str]]) -> RawTracklet:
    prefix, pid = _parse(line, where)
    folder, _, start = prefix.rpartition("/")
    if folder not in listed:
        listed[folder] = data.files(folder)
    names = [name for name in listed[folder] if name.startswith(start)]
    if not names:
        raise InputError("a tracklet has no images", where=where, expected=f"{prefix}*", got="none", fix="Unpack the data again")
    fields = {tuple(name.split("_")[1:3]) if name.count("_") == 3 else (name,) for name in names}
    # two tracklets under one prefix would silently become one, as with a plain glob
    if len(fields) > 1 or not (camera := names[0].split("_")[2:3]) or not camera[0].isdigit():
        shown = ", ".join("_".join(field) for field in sorted(fields)[:3])
        raise InputError("images do not fit the layout", where=where, expected=f"one tracklet, images named {FIELDS}", got=shown)
    return RawTracklet(
        tracklet_id=names[0].rpartition("_")[0],
        pid=pid,
        camid=int(camera[0]) - 1,
        subset=subset,
        frames=tuple(f"{folder}/{name}" for name in names),
    )


def _parse(line: str, where: str) -> tuple[str, int]:
    prefix, _, pid = line.strip().rpartition(" ")
    if not prefix or not pid.lstrip("-").isdigit():
        raise InputError("not a line of the list", where=where, expected="prefix pid", got=repr(line.strip()))
    return prefix.strip().removeprefix("./"), int(pid)
