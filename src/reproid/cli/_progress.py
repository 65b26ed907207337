"""The progress bar of long commands."""

from collections.abc import Callable


def progress(unit: str, what: str) -> Callable[[int], Callable[[int], object]]:
    """Return what makes a bar of so many units on stderr, shown on a terminal alone, and gives back what moves it."""
    import sys

    from tqdm import tqdm

    return lambda total: tqdm(total=total, unit=unit, desc=what, file=sys.stderr, disable=not sys.stderr.isatty()).update
