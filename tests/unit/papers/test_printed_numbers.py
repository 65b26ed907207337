"""Every printed number of every table stands in the paper's text, on its own row's line, in column order."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from reproid.catalog._yaml import load_yaml
from reproid.catalog.papers import Row, Table

ROOT = Path(__file__).resolve().parents[3]
TEXTS = ROOT.parent / "shared" / "papers"
TABLES = {
    f"{path.parents[1].name}/{path.stem}": (path.parents[1].name, load_yaml(path, Table))
    for path in sorted((ROOT / "papers").glob("*/tables/*.yaml"))
}
PRINTED = {name: entry for name, entry in TABLES.items() if any(row.printed for row in entry[1].rows)}


def numbers_of_row(line: str, row: Row) -> list[float] | None:
    """Return the numbers right of a row's last label on a line; None where the line does not hold that label."""
    label = row.labels[-1]
    if not re.search(r"\w", label):  # a mark; texts lose them
        return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", line)]
    found = list(re.finditer(r"(?:^|[|\t])\s*" + re.escape(label) + r"\s*(?=[|\t])", line))
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", line[found[-1].end() :])] if found else None


def has_rows(lines: Sequence[str], rows: Sequence[Row]) -> bool:
    """Tell whether consecutive lines of a text are the rows: the right label, and then exactly the printed numbers."""
    wanted = [[value for value in row.printed if value is not None] for row in rows]
    return any(
        all(numbers_of_row(line, row) == values for line, row, values in zip(lines[start:], rows, wanted, strict=False))
        for start in range(len(lines) - len(rows) + 1)
    )


def has_columns(lines: Sequence[str], table: Table) -> bool:
    """Tell whether consecutive lines of a text are the labels and then the columns: a table that is printed on its side."""
    rows = [row for row in table.rows if row.printed]
    wanted = [(table.label_heads[-1], [float(row.labels[-1]) for row in rows])]
    wanted += [(column.head, [float(row.printed[at] or 0) for row in rows]) for at, column in enumerate(table.columns)]
    found = [(line.split("\t")[0].strip(), [float(cell) for cell in line.split("\t")[1:] if _is_number(cell)]) for line in lines]
    return any(found[start : start + len(wanted)] == wanted for start in range(len(found)))


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"\s*\d+(\.\d+)?\s*", cell) is not None


def lines_of(paper: str) -> list[str]:
    """Return the lines of a paper's text; formulas in labels as plain words."""
    text = TEXTS / f"{paper}.txt"
    if not text.is_file():
        pytest.skip("needs the real papers' texts beside the project")
    lines = re.sub(r"\$?\\mathcal\{L\}_\{(\w+)\}\$?", r"L_\1", text.read_text()).splitlines()
    return [line for line, before in zip(lines, ["", *lines], strict=False) if line != before]  # the text has some lines twice


ON_ITS_SIDE = {"psformer/table-8"}


@pytest.mark.parametrize("name", PRINTED)
def test_printed_numbers_stand_in_the_text_on_their_rows_line(name: str) -> None:
    paper, table = PRINTED[name]
    lines = lines_of(paper)
    if name in ON_ITS_SIDE:
        assert has_columns(lines, table)
    else:
        assert has_rows(lines, [row for row in table.rows if row.printed])


@pytest.mark.parametrize("name", PRINTED)
def test_printed_numbers_a_wrong_one_is_found(name: str) -> None:
    paper, table = PRINTED[name]
    lines = lines_of(paper)
    rows = [row for row in table.rows if row.printed]
    swapped = [*rows[:-1], rows[-1].model_copy(update={"printed": tuple(reversed(rows[-1].printed))})]
    for wrong in (swapped, [*reversed(rows)]):
        assert not has_rows(lines, wrong)
        assert name not in ON_ITS_SIDE or not has_columns(lines, table.model_copy(update={"rows": tuple(wrong)}))


LINES = ["Methods\tmAP\trank-1", "base.\t83.2\t88.6", "\t+SBM | 85.7 | 90.2", "\\times 86.2 91.0"]


@pytest.mark.parametrize(
    ("label", "printed", "line", "stands"),
    [
        ("base.", (83.2, 88.6), 1, True),
        ("+SBM", (85.7, 90.2), 2, True),
        ("×", (86.2, 91.0), 3, True),
        ("base.", (88.6, 83.2), 1, False),
        ("base.", (83.2,), 1, False),
        ("base", (83.2, 88.6), 1, False),
        ("SBM", (85.7, 90.2), 2, False),
    ],
    ids=["tabs", "bars", "a mark", "order", "one left out", "part of a label", "end of a label"],
)
def test_has_rows_one_line(label: str, printed: tuple[float, ...], line: int, stands: bool) -> None:
    assert has_rows([LINES[line]], [Row(labels=(label,), experiment="x", printed=printed)]) is stands


def test_table_files_hold_numbers_of_five_papers() -> None:
    assert {paper for paper, _ in PRINTED.values()} == {"dcct", "keyreid", "mstat", "psformer", "sinet"}
