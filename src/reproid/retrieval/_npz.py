"""Reading .npz files without pickles: each array is checked when it is asked for, and every error names file and array."""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reproid.errors import InputError
from reproid.retrieval.tracklets import Ints

Array = npt.NDArray[Any]

# What numpy and zipfile raise on bytes that are no .npz file, or were one; RuntimeError: a flag reads as encryption.
DAMAGE = (OSError, ValueError, EOFError, KeyError, RuntimeError, OverflowError, MemoryError, zipfile.BadZipFile, zlib.error)
KINDS = {"Uiu": "text or a whole number", "f": "floating-point numbers", "U": "text", "b": "true or false", "iu": "whole numbers"}


@dataclass(frozen=True)
class Arrays:
    """The arrays of one file, each checked when it is asked for."""

    path: Path
    arrays: Mapping[str, Array]

    @staticmethod
    def open(path: Path | str) -> "Arrays":
        """Read all arrays of a .npz file; InputError where it is missing, damaged, another kind of file or holds pickles."""
        try:
            archive = np.load(path, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise InputError("one array, not a .npz file", where=path, fix="Write it with numpy.savez")
            with archive:
                return Arrays(Path(path), {name: archive[name] for name in archive.files})
        except FileNotFoundError as error:
            raise InputError("file not found", where=path) from error
        except InputError:
            raise
        except DAMAGE as error:
            objects = isinstance(error, ValueError) and str(error).startswith("Object arrays")
            reason = "it holds Python objects" if objects else "it is damaged or no .npz file"
            raise InputError(f"cannot be read: {reason}", where=path, fix="Make the file again") from error

    def require(self, name: str) -> Array:
        """Return an array; InputError where it is missing."""
        if name not in self.arrays:
            raise InputError(f"array '{name}' is missing", where=self.path, got=", ".join(sorted(self.arrays)) or "no arrays")
        return self.arrays[name]

    def array(self, name: str, kind: str, dimensions: int, n: int | None = None) -> Array:
        """Return an array of one of the kinds (numpy's letters), with so many dimensions and, if given, n rows, none empty."""
        array = self.require(name)
        where = f"{self.path}, array {name}"
        if array.dtype.kind not in kind:
            raise InputError("wrong type", where=where, expected=KINDS[kind], got=array.dtype)
        if array.ndim != dimensions or (n is not None and len(array) != n) or 0 in array.shape:
            wanted = f"({n},)" if n is not None else f"{dimensions} dimensions, none empty"
            raise InputError("wrong shape", where=where, expected=wanted, got=array.shape)
        return array

    def integers(self, name: str, n: int) -> Ints:
        """Return whole numbers [n] as int64."""
        return self.array(name, "iu", 1, n).astype(np.int64)

    def scalar(self, name: str, kind: str) -> Any:
        """Return a 0-d array's value; None where the file does not hold it."""
        return self.array(name, kind, 0).item() if name in self.arrays else None
