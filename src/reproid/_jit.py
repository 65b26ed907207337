"""numba's compiler with its type lost on the way back: compiled once per machine, cached beside the source."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Compile ``function`` without fast-math: sums keep their order, so pixels are the same on every machine."""
    return cast(Function, numba.njit(cache=True, nogil=True)(function))
