"""Numbers and names as readers see them."""

import re
from typing import Any

from reproid.errors import InputError

MINUS = "\N{MINUS SIGN}"
_PAGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})(v\d+)?")
_DOI = re.compile(r"(?:doi:)?(10\.\d{4,9}/\S+)")


def number(value: float, decimals: int = 1) -> str:
    """Return a number with a true minus sign and a thin space between thousands; no sign on a rounded zero."""
    text = f"{abs(value):,.{decimals}f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return MINUS + text if value < 0 and any(digit in text for digit in "123456789") else text


def signed(value: float, decimals: int = 1) -> str:
    """Return a difference with its sign; a rounded zero has none."""
    text = number(value, decimals)
    return text if text.startswith(MINUS) or not any(digit in text for digit in "123456789") else f"+{text}"


def exact(value: float) -> str:
    """Return a number as JSON writes it: the machine-readable value beside a rounded one."""
    return repr(float(value))


def short_float(value: float) -> str:
    """Return a number of unknown size with four significant digits."""
    return f"{value:.4g}".replace("-", MINUS)


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return ``1 run``, ``2 runs``."""
    return f"{number(count, 0)} {one if count == 1 else many or one + 's'}"


def as_text(value: Any) -> str:
    """Return a setting or a field of a manifest in words."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(as_text(item) for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {as_text(inner)}" for key, inner in value.items()) or "none"
    return str(value)


def web_link(link: str | None) -> str | None:
    """Return the https address of a web address, an arXiv id or a DOI; None for anything else, so that no page runs a script."""
    if link is None:
        return None
    if link.startswith("https://"):
        return link
    arxiv, doi = _ARXIV.fullmatch(link), _DOI.fullmatch(link)
    if arxiv:
        return f"https://arxiv.org/abs/{arxiv[1]}{arxiv[2] or ''}"
    return f"https://doi.org/{doi[1]}" if doi else None


def page_name(kind: str, name: str) -> str:
    """Return ``name`` where it may be a file's name.

    Raises:
        InputError: if it holds anything but letters, digits, dots, dashes and underscores.
    """
    if not _PAGE_NAME.fullmatch(name):
        raise InputError(f"the name of a {kind} cannot name a page", expected="letters, digits, '.', '-', '_'", got=repr(name))
    return f"{name}.html"
