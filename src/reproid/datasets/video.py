"""Pictures of a video, in the order of display. What is damaged, cut off or changing is an error that names file and frame.

FFmpeg conceals what it can: a picture comes out of a truncated JPEG, and one damaged packet leaves the frames that depend on it
unmarked. Here the first sign of damage ends the reading: an error or a logged one of demuxer or decoder, a packet or a frame
marked corrupt, fewer frames than the file declares, a JPEG without its end. Damage that leaves a valid code, in a format without
checksums, nobody can see: how often that happens is in docs/gop.md. Of formats in which it is the rule a warning tells.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reproid.errors import InputError

_FIX = "Restore the file, or convert it"
_HARMLESS = ("co located POCs unavailable", "mmco: unref short failure")
"""Logged of H.264 that merely begins between two keyframes."""
_JPEG_END = b"\xff\xd9"
_BLIND = {"hevc", "vp8", "vp9", "av1", "libdav1d", "vvc"}
"""Decoders that take whatever an arithmetic code yields: damage within a packet gives wrong pictures and no error."""


class UnseenDamageWarning(UserWarning):
    """A video's format does not show damage: it may be clean, and it may not."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame."""

    number: int
    """In the order of display, from 0."""
    frame: Any
    """PyAV's frame."""


def read_video(path: Path, *, export_vectors: bool = False) -> Iterator[Picture]:
    """Yield the frames of the first video stream, in the order of display; decoded by one thread.

    Args:
        path: any format and codec that this FFmpeg reads, with B-frames or without.
        export_vectors: whether frames carry the motion vectors of the file, where its codec has some.

    Warns:
        UnseenDamageWarning: if the format hides damage.

    Raises:
        InputError: if the file is missing, none, damaged or cut off, its codec is unknown, or its frames change size; names the
            file and the frame.
    """
    import av

    if not path.is_file():
        raise InputError("video not found", where=path, expected="a video file")
    seen = 0
    try:
        with _logged_errors() as logged, av.open(str(path)) as container:
            stream = _video_stream(container, path)
            stream.thread_type = "NONE"
            stream.codec_context.options = {"err_detect": "explode"} | ({"flags2": "+export_mvs"} if export_vectors else {})
            if stream.codec_context.name in _BLIND:
                warnings.warn(
                    f"{path}: damage within {stream.codec_context.name} video cannot be seen by its decoder;"
                    " compare the file's checksum with its source's",
                    UnseenDamageWarning,
                    stacklevel=2,
                )
            size: tuple[int, int] | None = None
            for packet in container.demux(stream):
                _check_packet(packet, stream.codec_context.name, path, seen)
                for frame in packet.decode():
                    if frame.is_corrupt:
                        raise _damaged(path, seen, "the decoder marks the frame as corrupt")
                    size = _check_size(size, (frame.width, frame.height), path, seen)
                    yield Picture(seen, frame)
                    seen += 1
                _check_log(logged, path, seen)
            if stream.frames and stream.frames != seen:
                raise InputError("the video is cut off", where=path, expected=f"{stream.frames:,} frames, as it declares",
                                 got=f"{seen:,}", fix=_FIX)  # fmt: skip
    except (av.error.FFmpegError, EOFError, IndexError) as error:  # PyAV raises IndexError for some broken headers
        raise _damaged(path, seen, " ".join(str(error).split())[:120]) from error
    if not seen:
        raise InputError("no picture in the video", where=path, expected="a frame or more", got="none", fix=_FIX)


def _video_stream(container: Any, path: Path) -> Any:
    if not container.streams.video:
        raise InputError("no picture in the video", where=path, expected="a video stream", got="none")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise InputError("this FFmpeg has no decoder for the video", where=path, fix="Convert it to H.264")
    return stream


def _check_packet(packet: Any, codec: str, path: Path, seen: int) -> None:
    if packet.is_corrupt:
        raise _damaged(path, seen, "a packet is cut off")
    if codec == "mjpeg" and packet.size and not bytes(packet).rstrip(b"\0").endswith(_JPEG_END):
        raise _damaged(path, seen, "a JPEG is cut off")


def _check_size(before: tuple[int, int] | None, size: tuple[int, int], path: Path, seen: int) -> tuple[int, int]:
    if before is not None and size != before:
        expected, got = (f"{width} x {height}" for width, height in (before, size))
        raise InputError("the video changes size", where=f"{path}, frame {seen}", expected=expected, got=got)
    return size


def _check_log(logged: list[tuple[int, str, str]], path: Path, seen: int) -> None:
    said = [text for text in (" ".join(entry[2].split()) for entry in logged) if not text.startswith(_HARMLESS)]
    if said:
        raise _damaged(path, seen, said[0][:120])


def _damaged(path: Path, seen: int, reason: str) -> InputError:
    return InputError(f"the video is damaged ({reason})", where=f"{path}, frame {seen}", expected="an undamaged video", fix=_FIX)


@contextmanager
def _logged_errors() -> Iterator[list[tuple[int, str, str]]]:
    """Collect what FFmpeg logs as an error in this thread."""
    import av.logging

    before = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)  # else what one file says twice is missing, or appears with the next file
    try:
        with av.logging.Capture() as logged:
            yield logged
    finally:
        av.logging.set_level(before[0])
        av.logging.set_skip_repeated(before[1])
