"""Check that the numbers in the report's pages are those of results/summary/metrics.json, cell by cell.

It reads the finished HTML and knows nothing of the code that wrote it. Example: python tools/check_report.py
"""

import json
import sys
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Cells(HTMLParser):
    """Collects the own number, or None, of every cell of a page's result tables: table -> its cells in the order of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[float | None]] = {}
        self._cells: list[float | None] = []
        self._own = False
        self._value: float | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a cell at its own-number element; take the number from the element inside."""
        values = dict(attrs)
        classes = (values.get("class") or "").split()
        if tag == "section" and "paper-table" in classes:
            self._cells = self.tables[str(values["id"])] = []
        elif tag == "span" and classes:
            self._own = "own" in classes
            if self._own:
                self._cells.append(None)
        elif tag == "data" and self._own:
            self._cells[-1] = self._value = float(str(values["value"]))

    def handle_data(self, data: str) -> None:
        """Hold what a reader sees against the exact number behind it: equal to the digits shown."""
        if self._value is not None:
            shown = data.strip().replace("\u202f", "")  # thin spaces between thousands
            digits = len(shown.partition(".")[2])
            if abs(float(shown) - self._value) > 0.5001 * 10**-digits:
                sys.exit(f"a page shows {data} where the number is {self._value}")
            self._value = None


def main() -> None:
    """Compare every table of the summary with its paper's page; exit with code 1 at the first difference."""
    summary = json.loads((ROOT / "results/summary/metrics.json").read_text(encoding="utf-8"))
    numbers = 0
    for name, rows in summary["tables"].items():
        paper, _, table = name.partition("/")
        expected = [value for row in rows.values() for value in row.values()]
        parser = Cells()
        parser.feed((ROOT / "reports/papers" / f"{paper}.html").read_text(encoding="utf-8"))
        found = parser.tables.get(table, [])
        if found != expected:
            pairs = zip(found, expected, strict=False)
            at = next((n for n, (got, want) in enumerate(pairs) if got != want), min(len(found), len(expected)))
            sys.exit(f"{name}: differs from the summary at cell {at + 1} ({len(found)} cells, expected {len(expected)})")
        numbers += sum(value is not None for value in expected)
    if not numbers:
        sys.exit("the summary holds no number: nothing was checked")
    print(f"check_report: {numbers} numbers in the pages are those of the summary")


if __name__ == "__main__":
    main()
