"""A server on loopback that behaves badly in named ways."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What the server has, and how it serves it; a test changes it while it runs."""

    content: bytes
    etag: str | None = '"one"'
    ranges: bool = True
    cut_after: list[int] = field(default_factory=list)
    """Bytes of each of the next answers before the connection is closed."""
    codes: list[int] = field(default_factory=list)
    """Status of each of the next answers."""
    stall_s: float = 0.0
    """Silence in the middle of the file, without an end to the connection before it is over."""
    stalls: int = 1
    """Answers that fall silent."""
    said_longer_by: int = 0
    """Bytes that the stated length is too long, or too short."""
    length: bool = True
    """Whether a length is stated at all; without, the end of the connection is the end of the file."""
    ranges_begin_later_by: int = 0
    """Bytes; the server says so."""
    ranges_hold: bytes | None = None
    """What the server sends in the place of a range; it does not say so."""
    kind: str = "application/octet-stream"
    redirect: str | None = None
    asked: list[str | None] = field(default_factory=list)
    """The Range of every request."""


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """Yield the address of a server for the site."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.headers["Range"])
            if site.redirect is not None:
                self._head(302, {"Location": site.redirect, "Content-Length": "0"})
                return
            if site.codes:
                self._head(site.codes.pop(0), {"Content-Length": "0"})
                return
            first = self._first()
            if first >= len(site.content) > 0 and first:
                self._head(416, {"Content-Range": f"bytes */{len(site.content)}", "Content-Length": "0"})
                return
            total = len(site.content) + site.said_longer_by
            first += site.ranges_begin_later_by if first else 0
            headers = {"Content-Type": site.kind} | ({"Content-Length": str(total - first)} if site.length else {})
            if site.etag is not None:
                headers["ETag"] = site.etag
            if first:
                headers["Content-Range"] = f"bytes {first}-{total - 1}/{total}"
            self._head(206 if first else 200, headers)
            body = site.content[first:]
            if first and site.ranges_hold is not None:
                body = (site.ranges_hold * len(body))[: len(body)]
            if site.stall_s and site.stalls:
                site.stalls -= 1
                self.wfile.write(body[: max(0, len(site.content) // 2 - first)])
                self.wfile.flush()
                time.sleep(site.stall_s)
                return
            self.wfile.write(body[: site.cut_after.pop(0)] if site.cut_after else body)

        def _first(self) -> int:
            match = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
            same = self.headers["If-Range"] in (None, site.etag)
            return int(match[1]) if match and site.ranges and same else 0

        def _head(self, code: int, headers: dict[str, str]) -> None:
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/set.bin"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
