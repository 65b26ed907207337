"""Boxes of persons in the frames of a video, as text.

Two forms. With the head ``frame,id,x,y,w,h``, frames count from 0. Without a head, as MOTChallenge writes it (6 to 10 fields, of
which six are read), frames count from 1. x, y: upper left corner; w, h: size; pixels, whole or fractions.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from reproid.datasets.folder_images import parse_id
from reproid.errors import InputError

HEAD = "frame,id,x,y,w,h"
MAX_PIXELS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Box:
    """One person in one frame."""

    line: int
    """In the file, from 1."""
    frame: int
    """Of the video, from 0."""
    pid: int
    x: float
    y: float
    w: float
    h: float

    def clipped(self, width: int, height: int) -> tuple[int, int, int, int] | None:
        """Return (left, top, right, bottom), whole pixels, of the part inside a picture; None where no pixel is."""
        left, top = max(0, math.floor(self.x)), max(0, math.floor(self.y))
        right, bottom = min(width, math.ceil(self.x + self.w)), min(height, math.ceil(self.y + self.h))
        return (left, top, right, bottom) if left < right and top < bottom else None


def read_boxes(path: Path) -> list[Box]:
    """Read a file of boxes.

    Raises:
        InputError: names the file, the line, and what is wrong with it.
    """
    try:
        return parse_boxes(path.read_text(encoding="utf-8-sig"), where=path)
    except UnicodeDecodeError as error:
        raise InputError("not a text file in UTF-8", where=path, got=f"byte {error.object[error.start]:#x}") from error


def parse_boxes(text: str, *, where: object) -> list[Box]:
    """Return the boxes of a text, sorted by frame, then line.

    Raises:
        InputError: for a bad line, or two boxes of one id in one frame; names the lines.
    """
    lines = [(number, line.strip()) for number, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1) if line.strip()]
    has_head = bool(lines) and re.match(r"[A-Za-z]", lines[0][1]) is not None
    if has_head and lines[0][1].replace(" ", "").lower() != HEAD:
        raise InputError("wrong head", where=f"{where}, line {lines[0][0]}", expected=HEAD, got=lines[0][1][:80])
    boxes: dict[tuple[int, int], Box] = {}
    for number, line in lines[1:] if has_head else lines:
        box = _parse_line(line, number, f"{where}, line {number}", first_frame=0 if has_head else 1)
        before = boxes.setdefault((box.frame, box.pid), box)
        if before is not box:
            raise InputError(f"two boxes of id {box.pid} in one frame", where=f"{where}, line {number}",
                             expected="one", got=f"another in line {before.line}")  # fmt: skip
    if not boxes:
        raise InputError("no box", where=where, expected=f"lines of {HEAD}", got="none")
    return sorted(boxes.values(), key=lambda box: (box.frame, box.line))


def _parse_line(line: str, number: int, where: str, *, first_frame: int) -> Box:
    fields = [field.strip() for field in line.split(",")]
    wanted = range(6, 7) if first_frame == 0 else range(6, 11)
    if len(fields) not in wanted:
        expected = f"{wanted.start} to {wanted.stop - 1} fields" if first_frame else f"6 fields, {HEAD}"
        raise InputError("bad line in a file of boxes", where=where, expected=expected, got=f"{len(fields)}: '{line[:80]}'")
    frame = parse_id_like(fields[0], "frame", where, least=first_frame)
    pid = parse_id(fields[1], "pid", where=where)
    x, y, w, h = (_number(field, name, where) for field, name in zip(fields[2:6], ("x", "y", "w", "h"), strict=True))
    if w <= 0 or h <= 0:
        raise InputError("a box without area", where=where, expected="w and h above 0", got=f"w {fields[4]}, h {fields[5]}")
    return Box(line=number, frame=frame - first_frame, pid=pid, x=x, y=y, w=w, h=h)


def parse_id_like(text: str, name: str, where: str, *, least: int) -> int:
    """Return a frame's number; MOT files may write it as 12.0."""
    if not re.fullmatch(r"\d{1,9}(\.0*)?", text, flags=re.ASCII) or int(text.partition(".")[0]) < least:
        raise InputError(f"{name} is no number of a frame", where=where, expected=f"a whole number from {least}", got=f"'{text}'")
    return int(text.partition(".")[0])


def _number(text: str, name: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= MAX_PIXELS:
        raise InputError(f"{name} is no number of pixels", where=where, expected=f"at most {MAX_PIXELS:,}", got=f"'{text}'")
    return value
