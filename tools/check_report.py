"""Check that the numbers in the report's pages are those of results/summary/metrics.json, cell by cell.

It reads the finished HTML and knows nothing of the code that wrote it. Example: python tools/check_report.py
"""

import json
import sys
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Cells(HTMLParser):
    """Collects the own number, or None, of every cell of a page's result tables, in the order of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[float | None] = []
        self._own = False
        self._value: float | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a cell at its own-number element; take the number from the element inside."""
        values = dict(attrs)
        classes = (values.get("class") or "").split()
        if tag == "span" and classes:
            self._own = "own" in classes
            if self._own:
                self.cells.append(None)
        elif tag == "data" and self._own:
            self.cells[-1] = self._value = float(str(values["value"]))

    def handle_data(self, data: str) -> None:
        """Hold what a reader sees against the exact number behind it: equal to the digits shown."""
        if self._value is not None:
            shown = data.strip().replace("\u202f", "")  # thin spaces between thousands
            digits = len(shown.partition(".")[2])
            if abs(float(shown) - self._value) > 0.5001 * 10**-digits:
                sys.exit(f"a page shows {data} where the number is {self._value}")
            self._value = None


def main() -> None:
    """Compare every paper page with the summary; exit with code 1 at the first difference."""
    summary = json.loads((ROOT / "results/summary/metrics.json").read_text(encoding="utf-8"))
    numbers = 0
    for paper in sorted({name.partition("/")[0] for name in summary["tables"]}):
        tables = [rows for name, rows in sorted(summary["tables"].items()) if name.partition("/")[0] == paper]
        expected = [value for rows in tables for row in rows.values() for value in row.values()]
        page = ROOT / "reports/papers" / f"{paper}.html"
        parser = Cells()
        parser.feed(page.read_text(encoding="utf-8"))
        if parser.cells != expected:
            pairs = zip(parser.cells, expected, strict=False)
            at = next((n for n, (got, want) in enumerate(pairs) if got != want), min(len(parser.cells), len(expected)))
            sys.exit(f"{page}: differs from the summary at cell {at + 1} ({len(parser.cells)} cells, expected {len(expected)})")
        numbers += sum(value is not None for value in expected)
    if not numbers:
        sys.exit("the summary holds no number: nothing was checked")
    print(f"check_report: {numbers} numbers in the pages are those of the summary")


if __name__ == "__main__":
    main()
