"""Decoding of frames with PIL, and everything that can be wrong with an image."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from reproid.datasets.data_folder import DataFolder
from reproid.errors import InputError

_FIX = "Restore the file from its archive"
# What PIL's decoders raise on broken content, beside OSError
_BROKEN = (UnidentifiedImageError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


def read_frames(
    data: DataFolder, names: Sequence[str], *, declared: Mapping[str, tuple[int, int]], height: int, width: int
) -> Tensor:
    """Decode and resize frames: PIL's bilinear filter, which averages over the source pixels when it shrinks (antialias).

    Args:
        data: the data set's folder.
        names: T images in it.
        declared: (width, height) of images as the index says; it may not know that of all.
        height: H to resize to, pixels.
        width: W to resize to, pixels.

    Returns:
        uint8 [T, 3, H, W], RGB.

    Raises:
        InputError: if an image is missing, empty, cut off, none or of another size; names the file, or the shard and the member.
    """
    decoded: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]] = {}
    once = list(dict.fromkeys(names))  # looped clips repeat frames
    for name, content in zip(once, data.read_all(once), strict=True):
        image = _decode(data, name, content, declared.get(name))
        decoded[name] = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    return torch.from_numpy(np.stack([decoded[name] for name in names])).permute(0, 3, 1, 2).contiguous()


def _decode(data: DataFolder, name: str, content: bytes, stored: tuple[int, int] | None) -> Image.Image:
    try:
        with Image.open(io.BytesIO(content)) as image:
            if stored is None or image.size == stored:
                return image.convert("RGB")
            found = image.size
    except _BROKEN as error:
        got = f"{len(content)} bytes that begin with {content[:8]!r}" if content else "an empty file"
        raise InputError("not an image", where=data.place(name), expected="a JPEG or PNG file", got=got, fix=_FIX) from error
    except OSError as error:
        raise InputError(
            "image is cut off", where=data.place(name), expected="a whole image", got=f"{len(content)} bytes", fix=_FIX
        ) from error
    expected, got = (f"{width} x {height} pixels" for width, height in (stored, found))
    fix = f"{_FIX}, or make the index again"
    raise InputError("image has another size than the index says", where=data.place(name), expected=expected, got=got, fix=fix)
