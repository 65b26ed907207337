"""One file from a server that may break off, stall, forget or lie: resumed, tried again, and held against its SHA-256.

The file grows under ``<name>.part``; ``<name>.part.json`` holds what the server said of it (its size, its validator), so that a
later call continues it, and starts over if the file on the server has become another one.
"""

import hashlib
import http.client
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from reproid.errors import InputError
from reproid.files import read_json, write_json

Start = Callable[[int], Callable[[int], object]]
CHUNK = 1 << 20
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_RETRIED = (OSError, http.client.HTTPException)  # URLError, timeouts and resets are OSErrors


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a server is borne with."""

    attempts: int = 5
    """In a row without a single new byte."""
    timeout_s: float = 60.0
    """Without a byte."""
    wait_s: float = 2.0
    """Before the second attempt; doubled before each further one."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the server said of the file when the part was begun."""

    url: str
    size: int | None
    """Bytes."""
    validator: str | None
    """ETag, or the time of the last change."""


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What is there of a file."""

    path: Path

    @property
    def about(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def said(self, url: str) -> Said | None:
        """Return what the server said, None if nothing is known of this address."""
        try:
            said = Said(**read_json(self.about))
        except (InputError, TypeError):
            return None
        return said if said.url == url else None

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self.about.unlink(missing_ok=True)


def download(
    url: str,
    target: Path,
    *,
    sha256: str | None = None,
    patience: Patience | None = None,
    start: Start = lambda _: lambda _: None,
) -> str:
    """Fetch a file; what an earlier call fetched of it is continued, and a complete one is only verified.

    Args:
        url: http or https.
        target: file to write; its name appears when it is complete.
        sha256: of the file, if known.
        patience: how long to bear with the server.
        start: makes a progress bar of so many bytes.

    Returns:
        The file's SHA-256.

    Raises:
        InputError: if it cannot be had, or is another file than expected; the part that is there remains for the next call.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise InputError("not an address that is fetched from", where=url, expected="http or https")
    part = _Part(path=target.with_name(f"{target.name}.part"))
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch(url, part, verified=sha256 is not None, patience=patience or Patience(), start=start)
    found = file_sha256(target if target.exists() else part.path)
    if sha256 is not None and found != sha256:
        part.drop()
        fix = "Delete it and fetch it again" if target.exists() else "It was deleted; try again, or tell the maintainers"
        raise InputError("another file than expected", where=target, expected=f"SHA-256 {sha256}", got=found, fix=fix)
    if not target.exists():
        part.path.replace(target)
        part.drop()
    return found


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(url: str, part: _Part, *, verified: bool, patience: Patience, start: Start) -> None:
    idle, before = 0, -1
    while True:
        try:
            if _attempt(url, part, verified=verified, timeout_s=patience.timeout_s, start=start):
                return
            reason = "the connection ended early"
        except HTTPError as error:
            if error.code not in _PASSING:
                raise InputError(f"the server refuses ({error.code} {error.reason})", where=url,
                                 fix="Look at the authors' page: the address may have changed") from error  # fmt: skip
            reason = f"{error.code} {error.reason}"
        except _RETRIED as error:
            reason = " ".join(str(error.reason if isinstance(error, URLError) else error).split())[:120] or type(error).__name__
        idle = 0 if part.size > before else idle + 1
        before = max(before, part.size)
        if idle + 1 >= patience.attempts:
            said = part.said(url)
            size = f"{said.size:,}" if said and said.size is not None else "an unknown number of"
            raise InputError(f"not fetched after {patience.attempts} attempts without progress ({reason})", where=url,
                             expected=f"{size} bytes", got=f"{part.size:,}", fix="Try again later: it is continued")  # fmt: skip
        time.sleep(patience.wait_s * 2**idle)


def _attempt(url: str, part: _Part, *, verified: bool, timeout_s: float, start: Start) -> bool:
    """Ask once; tell whether the part is now as long as the server says the file is."""
    said = part.said(url)
    have = part.size if said is not None and (said.validator is not None or verified) else 0
    if said is not None and have and have == said.size:
        return True
    headers = {"User-Agent": "reproid", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if said is not None and said.validator is not None:
            headers["If-Range"] = said.validator
    try:
        answer = _opener().open(request.Request(url, headers=headers), timeout=timeout_s)  # noqa: S310 -- the scheme is checked
    except HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.drop()  # longer than the file, or of another one: from the start
            return False
        raise
    with answer:
        return _receive(answer, url, part, have=have, said=said, start=start)


def _receive(answer: http.client.HTTPResponse, url: str, part: _Part, *, have: int, said: Said | None, start: Start) -> bool:
    size = _size(answer, have)
    if answer.status == http.client.PARTIAL_CONTENT and (
        size == "other" or (said and said.size is not None and size != said.size)
    ):
        part.drop()  # another range than asked for, or the file has another length now
        return False
    assert size != "other"
    if answer.headers.get_content_type() == "text/html":
        raise InputError(
            "the server sends a page in the place of the file", where=url, fix="Open it in a browser: it may ask something"
        )
    mode: Literal["ab", "wb"] = "ab" if answer.status == http.client.PARTIAL_CONTENT else "wb"
    have = have if mode == "ab" else 0
    if size is not None:
        free = shutil.disk_usage(part.path.parent).free
        if size - have > free:
            raise InputError("the disk is too full", where=part.path.parent, expected=f"{size - have:,} bytes", got=f"{free:,}")
    if mode == "wb":
        part.drop()
        validator = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
        weak = validator is not None and validator.startswith("W/")
        write_json(part.about, asdict(Said(url=url, size=size, validator=None if weak else validator)))
    step = start(size or 0)
    step(have)
    with part.path.open(mode) as file:
        # read1 gives what has arrived: read would wait for a whole chunk, and lose all of it when the server falls silent
        while block := answer.read1(CHUNK if size is None else min(CHUNK, max(1, size - file.tell()))):
            file.write(block)
            step(len(block))
            if size is not None and file.tell() >= size:
                break
    return size is None or part.size == size


def _size(answer: http.client.HTTPResponse, have: int) -> int | Literal["other"] | None:
    """Return the length of the whole file as the server says it, None if it does not, "other" if this is no continuation."""
    if answer.status == http.client.PARTIAL_CONTENT:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", answer.headers.get("Content-Range", "").strip())
        return int(match[2]) if match and int(match[1]) == have else "other"
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _opener() -> request.OpenerDirector:
    """Return an opener that speaks http and https alone, redirected ones too: no file, no ftp."""
    opener = request.OpenerDirector()
    for handler in (request.ProxyHandler, request.HTTPHandler, request.HTTPSHandler, request.HTTPDefaultErrorHandler,
                    request.HTTPRedirectHandler, request.HTTPErrorProcessor, request.UnknownHandler):  # fmt: skip
        opener.add_handler(handler())
    return opener
