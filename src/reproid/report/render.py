"""Views into HTML: one Jinja environment, escaping on, unknown names an error."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).resolve().parent
ASSETS = ("report.css", "report.js")


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page to write."""

    path: str
    """Below the report's folder, with slashes."""
    template: str
    title: str
    view: object
    suite: str

    @property
    def root(self) -> str:
        """The address of the report's folder, seen from the page."""
        return "../" * self.path.count("/")


def render(page: Page) -> str:
    """Return a page as HTML."""
    return _environment().get_template(f"{page.template}.html.jinja").render(page=page, view=page.view)


def asset(name: str) -> str:
    """Return the style sheet or the script."""
    return (HERE / "static" / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
