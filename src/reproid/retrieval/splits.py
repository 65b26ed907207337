"""Names of splits: ``<index>``, ``split<index>`` or ``<split set>-<index>`` (or with a slash); others have no index."""

import re
from dataclasses import dataclass

_PATTERN = re.compile(r"(?:(?P<set>(?!split[/_-]?\d+$).+?)[/_-])?(?:split[/_-]?)?(?P<index>\d+)")


@dataclass(frozen=True, order=True)
class SplitName:
    """A split's set and place; sorts by set, index, text."""

    set: str
    """Empty where the name has none."""
    index: int
    """0-based; -1 where the name has none."""
    text: str


def parse_split(text: str) -> SplitName:
    """Return the parts of a split's name: ``dal-2018/3`` and ``dal-2018-3`` are split 3 of the set dal-2018."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        return SplitName("", -1, text)
    return SplitName(match["set"] or "", int(match["index"]), text)
