"""images.csv: which image shows which person in which camera."""

import csv
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reproid.datasets._read import RawTracklet
from reproid.datasets.folder_images import SUFFIXES, parse_id
from reproid.datasets.index import Role, Subset
from reproid.errors import InputError

TABLE = "images.csv"
REQUIRED, OPTIONAL = ("path", "pid", "camid"), ("tracklet", "role")
ROLES: dict[str, tuple[Role, ...]] = {"train": ("train",), "query": ("query",), "gallery": ("gallery",), "": ("query", "gallery")}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line: an image."""

    number: int
    """In the file, from 1; the head is line 1."""
    path: str
    pid: int
    camid: int
    tracklet: str
    role: str
    """Empty: query and gallery."""


def read_table(root: Path) -> dict[RawTracklet, tuple[Role, ...]]:
    """Read images.csv.

    Returns:
        Tracklets with their roles, in the order of the file.

    Raises:
        InputError: names the line and what is wrong with it.
    """
    path = root / TABLE
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("not a text file in UTF-8", where=path, got=f"byte {error.object[error.start]:#x}") from error
    groups: dict[str, list[Line]] = {}
    for line in parse_table(text, where=path):
        _check_below(root, line)
        groups.setdefault(line.tracklet, []).append(line)
    return dict(_tracklet(name, lines, path) for name, lines in groups.items())


def parse_table(text: str, *, where: object) -> list[Line]:
    """Return the lines of a file of this form; blank ones are left out.

    Raises:
        InputError: for a head that lacks a column or has an unknown one, a line with another number of fields, an id that is no
            number, an unknown role, a path outside the folder, or an image that stands there twice.
    """
    reader = csv.reader(text.splitlines())
    try:
        rows = [(reader.line_num, [field.strip() for field in row]) for row in reader if any(field.strip() for field in row)]
    except csv.Error as error:
        raise InputError(f"not a CSV file ({error})", where=f"{where}, line {reader.line_num}") from error
    head = tuple(rows[0][1]) if rows else ()
    unknown = [name for name in head if name not in REQUIRED + OPTIONAL]
    if unknown or len(set(head)) != len(head) or not set(REQUIRED) <= set(head):
        expected = f"{','.join(REQUIRED)} and, if wanted, {','.join(OPTIONAL)}"
        raise InputError("wrong columns", where=f"{where}, line 1", expected=expected, got=",".join(head) or "an empty file")
    lines: dict[str, Line] = {}
    for number, row in rows[1:]:
        line = _parse_line(head, row, number, f"{where}, line {number}")
        if line.path in lines:
            raise InputError("an image stands there twice", where=f"{where}, line {number}", expected="each image once",
                             got=f"{line.path}, as in line {lines[line.path].number}")  # fmt: skip
        lines[line.path] = line
    if not lines:
        raise InputError("no image in the table", where=where, expected="at least one line below the head")
    return list(lines.values())


def _parse_line(head: tuple[str, ...], row: list[str], number: int, where: str) -> Line:
    if len(row) != len(head):
        raise InputError("wrong number of fields", where=where, expected=f"{len(head)} ({','.join(head)})", got=len(row))
    fields = dict(zip(head, row, strict=True))
    path = PurePosixPath(fields["path"])
    if path.is_absolute() or ".." in path.parts or "\\" in fields["path"] or not fields["path"].lower().endswith(SUFFIXES):
        expected = f"a path below the folder, with /, to a file in {', '.join(SUFFIXES)}"
        raise InputError("not a path of an image", where=where, expected=expected, got=f"'{fields['path']}'")
    pid, camid = (parse_id(fields[key], key, where=f"{where}, column {key}") for key in ("pid", "camid"))
    role = fields.get("role", "")
    if role not in ROLES:
        raise InputError("unknown role", where=where, expected="train, query, gallery or nothing", got=f"'{role}'")
    name = fields.get("tracklet") or f"{role + '/' if role else ''}{pid}/{camid}"
    return Line(number=number, path=path.as_posix(), pid=pid, camid=camid, tracklet=name, role=role)


def _check_below(root: Path, line: Line) -> None:
    """Refuse a link that leads out of the folder; a missing file is found later, with all others."""
    target = (root / line.path).resolve()
    if not target.is_relative_to(root.resolve()):
        raise InputError("the image lies outside the folder", where=f"{root / TABLE}, line {line.number}",
                         expected=f"a file below {root}", got=line.path)  # fmt: skip


def _tracklet(name: str, lines: list[Line], path: Path) -> tuple[RawTracklet, tuple[Role, ...]]:
    first = lines[0]
    for line in lines:
        if (line.pid, line.camid, line.role) != (first.pid, first.camid, first.role):
            expected, got = (f"pid {one.pid}, camid {one.camid}, role '{one.role}'" for one in (first, line))
            where = f"{path}, line {line.number}"
            raise InputError(f"tracklet '{name}' mixes persons, cameras or roles", where=where, expected=expected, got=got)
    subset: Subset = "train" if first.role == "train" else "test"
    frames = tuple(line.path for line in lines)
    return RawTracklet(tracklet_id=name, pid=first.pid, camid=first.camid, subset=subset, frames=frames), ROLES[first.role]
