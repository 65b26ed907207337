"""Decoding of frames with PIL, and everything that can be wrong with an image file."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from reproid.errors import InputError

_FIX = "Restore the file from its archive"
# What PIL's decoders raise on broken content, beside OSError
_BROKEN = (UnidentifiedImageError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


def read_frames(paths: list[Path], *, declared: Mapping[Path, tuple[int, int]], height: int, width: int) -> Tensor:
    """Decode and resize frames: PIL's bilinear filter, which averages over the source pixels when it shrinks (antialias).

    Args:
        paths: T image files.
        declared: (width, height) of files as the index says; it may not know that of all.
        height: H to resize to, pixels.
        width: W to resize to, pixels.

    Returns:
        uint8 [T, 3, H, W], RGB.

    Raises:
        InputError: if a file is missing, empty, cut off, no image or of another size; names the file.
    """
    decoded: dict[Path, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]] = {}
    for path in paths:
        if path not in decoded:  # looped clips repeat frames
            decoded[path] = np.asarray(_read(path, declared.get(path)).resize((width, height), Image.Resampling.BILINEAR))
    return torch.from_numpy(np.stack([decoded[path] for path in paths])).permute(0, 3, 1, 2).contiguous()


def _read(path: Path, stored: tuple[int, int] | None) -> Image.Image:
    try:
        with Image.open(path) as image:
            if stored is not None and image.size != stored:
                raise _other_size(path, stored, image.size)
            return image.convert("RGB")
    except FileNotFoundError as error:
        raise InputError("image not found", where=path, fix=_FIX) from error
    except InputError:
        raise
    except _BROKEN as error:
        raise _no_image(path) from error
    except OSError as error:
        if error.errno is not None:
            raise InputError("image cannot be read", where=path, got=error.strerror, fix=_FIX) from error
        raise InputError(
            "image is cut off", where=path, expected="a whole image", got=f"{_size(path)} bytes", fix=_FIX
        ) from error


def _other_size(path: Path, stored: tuple[int, int], found: tuple[int, int]) -> InputError:
    expected, got = (f"{width} x {height} pixels" for width, height in (stored, found))
    fix = f"{_FIX}, or make the index again"
    return InputError("image has another size than the index says", where=path, expected=expected, got=got, fix=fix)


def _no_image(path: Path) -> InputError:
    with path.open("rb") as file:
        head = file.read(8)
    got = f"{_size(path)} bytes that begin with {head!r}" if head else "an empty file"
    return InputError("not an image", where=path, expected="a JPEG or PNG file", got=got, fix=_FIX)


def _size(path: Path) -> int:
    return os.stat(path).st_size  # noqa: PTH116
