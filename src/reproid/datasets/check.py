"""Is a data set what its declaration says? Every count, expected and found, and the first files that are not right.

Nothing here stops at the first difference, unlike an index: a user who completes a download wants to see all of them.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reproid.datasets._read import SHOWN, Layout, RawTracklet, check_identities, missing_frames
from reproid.datasets.data_folder import DataFolder
from reproid.datasets.folder_images import decoded_size
from reproid.datasets.index import DISTRACTOR, JUNK
from reproid.datasets.layouts import check_unique, read_layout
from reproid.errors import InputError

Verdict = Literal["ok", "differs", "not declared"]
Start = Callable[[int], Callable[[int], object]]
"""Given a total, returns what is told how many more are done: a progress bar."""
ROLES = ("train", "query", "gallery")
BATCH = 256
"""Frames that a thread opens at a time."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One count."""

    name: str
    expected: int | None
    """None: the data set declares none."""
    found: int | None
    """None: the layout has no such count."""

    @property
    def verdict(self) -> Verdict:
        """Compare what was expected with what was found."""
        if self.expected is None:
            return "not declared"
        return "ok" if self.expected == self.found else "differs"


@dataclass(frozen=True, kw_only=True)
class Check:
    """What was found."""

    lines: tuple[Line, ...]
    problems: tuple[tuple[str, ...], ...]
    """Files that are not right, one sentence each, by kind of problem: missing, then what is no image."""
    opened: int
    """Frames that were decoded."""

    @property
    def differing(self) -> tuple[Line, ...]:
        """Counts that are not as declared."""
        return tuple(line for line in self.lines if line.verdict == "differs")

    @property
    def passed(self) -> bool:
        """Whether nothing differs and no file is wrong."""
        return not self.differing and not any(self.problems)


def check_data(
    root: Path,
    *,
    layout: str,
    counts: Mapping[str, int],
    cameras: Mapping[str, Sequence[int]],
    quick: bool = False,
    workers: int = 4,
    start: Start = lambda _: lambda _: None,
) -> Check:
    """Read a data set, count everything in it and open every frame.

    Args:
        root: the data's folder, packed or not.
        layout: name of the official layout.
        counts: expected ones, by the names of `count`.
        cameras: expected ones per camera, such as query_tracklets: [524, 456, ...].
        quick: open no frame; that they are there is checked.
        workers: threads that open frames.
        start: makes a progress bar of so many frames.

    Raises:
        InputError: if the files do not fit the layout at all, two tracklets share a name, or a person is in training and in test.
    """
    raw = read_layout(root, layout)
    check_unique(raw, root)
    check_identities(raw, where=root)
    found = count(raw)
    expected = {**counts, **{f"{name}_camera_{k}": n for name, per in cameras.items() for k, n in enumerate(per, start=1)}}
    names = [*found, *(name for name in expected if name not in found)]
    data = DataFolder(root)
    missing = missing_frames(data, raw.tracklets)
    gone = set(missing)
    frames = [] if quick else [f for f in dict.fromkeys(f for t in raw.tracklets for f in t.frames) if f not in gone]
    broken = _open_all(data, frames, workers=workers, step=start(len(frames)) if frames else lambda _: None)
    return Check(
        lines=tuple(Line(name=name, expected=expected.get(name), found=found.get(name)) for name in names),
        problems=(tuple(f"{name}: missing" for name in missing), tuple(broken)),
        opened=len(frames),
    )


def count(raw: Layout) -> dict[str, int]:
    """Return persons, tracklets and frames: of all, of each part, of each role of the first split; the latter two per camera.

    Persons count pid -1 and 0 as MARS does: one each.
    """
    of = {t.tracklet_id: t for t in raw.tracklets}
    first = raw.assignments[0].split if raw.assignments else ""
    roles = {role: [of[a.tracklet_id] for a in raw.assignments if a.split == first and a.role == role] for role in ROLES}
    groups: dict[str, list[RawTracklet]] = {
        "": list(raw.tracklets),
        "train_": [t for t in raw.tracklets if t.subset == "train"],
        "test_": [t for t in raw.tracklets if t.subset == "test"],
        "query_": roles["query"],
        "gallery_": roles["gallery"],
    }
    out: dict[str, int] = {}
    for prefix, group in groups.items():
        out |= {f"{prefix}persons": len({t.pid for t in group}), f"{prefix}tracklets": len(group)}
        out[f"{prefix}frames"] = sum(len(t.frames) for t in group)
    for name, pid in (("junk", JUNK), ("distractor", DISTRACTOR)):
        out[f"{name}_tracklets"] = sum(t.pid == pid for t in roles["gallery"])
    out |= raw.facts
    n_cameras = max((t.camid for t in raw.tracklets), default=-1) + 1
    for role, group in {"": list(raw.tracklets), **{f"{role}_": group for role, group in roles.items()}}.items():
        cameras = [[t for t in group if t.camid == camera] for camera in range(n_cameras)]
        out |= {f"{role}tracklets_camera_{k}": len(seen) for k, seen in enumerate(cameras, start=1)}
        out |= {f"{role}frames_camera_{k}": sum(len(t.frames) for t in seen) for k, seen in enumerate(cameras, start=1)}
    return out


def offending(problems: Sequence[str]) -> list[str]:
    """Return the first five lines, and one that says how many more there are."""
    more = [f"and {len(problems) - SHOWN:,} more"] if len(problems) > SHOWN else []
    return [*problems[:SHOWN], *more]


def _open_all(data: DataFolder, frames: Sequence[str], *, workers: int, step: Callable[[int], object]) -> list[str]:
    """Decode frames in threads (the decoders let go of Python's lock) and return what is wrong with which, in their order."""

    def broken(names: Sequence[str]) -> list[str]:
        found = []
        for name in names:
            try:
                decoded_size(data, name)
            except InputError as error:
                found.append(str(error))
        return found

    out: list[str] = []
    batches = [frames[k : k + BATCH] for k in range(0, len(frames), BATCH)]
    with ThreadPoolExecutor(workers) as pool:
        for batch, found in zip(batches, pool.map(broken, batches), strict=True):
            out += found
            step(len(batch))
    return out
