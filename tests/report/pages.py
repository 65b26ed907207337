"""Reading the written pages: what they link to, what their numbers are."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class Parsed:
    """One page."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    """What a browser fetches by itself."""
    tags: list[str] = field(default_factory=list)
    text: str = ""


class _Parser(HTMLParser):
    LOADING = ("script", "img", "iframe", "link", "source", "object", "embed", "image", "use")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Parsed()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.page.tags.append(tag)
        if "id" in values:
            assert values["id"] not in self.page.ids, f"id {values['id']} twice"
            self.page.ids.add(values["id"])
        if tag == "a":
            self.page.links.append(values["href"])
        elif tag in self.LOADING:
            self.page.loads += [values[name] for name in ("src", "href", "data") if name in values]

    def handle_data(self, data: str) -> None:
        self.page.text += data


def parse(path: Path) -> Parsed:
    parser = _Parser()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser.page


def broken_links(root: Path) -> list[str]:
    """Return the links inside the report that lead to no file or to no id."""
    pages = {path.resolve(): parse(path) for path in sorted(root.rglob("*.html"))}
    broken = []
    for path, page in pages.items():
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme in ("https", "data"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file() or (parts.fragment and parts.fragment not in pages[target].ids):
                broken.append(f"{path.name}: {link}")
    return broken


class _Cells(HTMLParser):
    """Collects the own number of every cell: the <data> inside class own, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str | None]]] = []
        self._own = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        classes = (values.get("class") or "").split()
        if tag == "table" and "cells" in classes:
            self.tables.append([])
        elif self.tables and tag == "tr":
            self.tables[-1].append([])
        elif self.tables and tag == "td":
            self.tables[-1][-1].append(None)
        elif tag == "span":
            self._own = "own" in classes
        elif tag == "data" and self._own:
            self.tables[-1][-1][-1] = values["value"]


def own_numbers(path: Path) -> list[list[list[str | None]]]:
    """Return per table of a paper's page, per row, the exact own number of each cell; None for none."""
    parser = _Cells()
    parser.feed(path.read_text(encoding="utf-8"))
    return [[row for row in table if row] for table in parser.tables]
