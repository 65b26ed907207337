"""The commands `table`, `summary` and `report`; what importing the room costs."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from report.made import TABLE, Made
from reproid.cli import cli, main
from reproid.cli.report import report, summary, table


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


def test_table_command_writes_the_file_and_says_how_full_it_is(made: Made) -> None:
    made.fill()
    result = run("table", TABLE, "--out", "out/t.json")
    assert result.exit_code == 0
    cells, filled = made.numbers(table=TABLE)
    assert filled >= 2
    assert result.output == f"out/t.json: {filled} of {cells} cells have a number\n"
    assert json.loads(Path("out/t.json").read_text())["table"] == TABLE


def test_summary_command_counts_scored_runs(made: Made) -> None:
    made.fill()
    runs = len(made.runs())
    assert run("summary", "--out", "s.json").output == f"s.json: suite demo, {runs} of {runs} runs have metrics\n"
    assert run("summary", "--suite", "paper", "--out", "p.json").output == "p.json: suite paper, 0 of 0 runs have metrics\n"


def test_report_command_writes_pages_of_an_empty_project(made: Made) -> None:
    result = run("report", "--out", "pages", "--results", made.root / "nowhere")
    assert result.exit_code == 0
    assert Path("pages/index.html").is_file()
    assert not (made.root / "nowhere").exists()


def test_report_command_with_refresh_rewrites_tables_and_summary(made: Made) -> None:
    made.fill()
    run("report", "--out", "pages", "--refresh")
    run("table", TABLE, "--out", "t.json")
    run("summary", "--out", "s.json")
    assert Path(f"results/tables/{TABLE}.json").read_bytes() == Path("t.json").read_bytes()
    assert Path("results/summary/metrics.json").read_bytes() == Path("s.json").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["table", "psformer/table1", "--out", "t.json"],
            "unknown table; expected one of: controls/table-1, controls/table-2, ",
        ),
        (["summary", "--suite", "demi", "--out", "s.json"], "unknown suite"),
        (["report", "--out", "params.yaml/pages"], "cannot be written"),
    ],
    ids=["table", "suite", "folder"],
)
def test_command_with_a_mistake_prints_one_line_and_writes_nothing(
    made: Made, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: Sequence[str], message: str
) -> None:
    before = sorted(made.root.rglob("*"))
    monkeypatch.setattr(sys, "argv", ["reproid", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert error.startswith("reproid: error: ")
    assert error.count("\n") == 1
    assert message in error
    assert sorted(made.root.rglob("*")) == before


@pytest.mark.parametrize("command", [table, summary, report], ids=lambda command: str(command.name))
def test_command_help_has_an_example(command: object) -> None:
    assert "Examples:" in run(command.name, "--help").output  # type: ignore[attr-defined]


def test_report_loads_no_torch_nor_anything_heavy() -> None:
    code = (
        "import sys, reproid.report.site, reproid.report.summary, reproid.cli.report\n"
        "heavy = {'torch', 'numpy', 'pandas', 'matplotlib', 'pyarrow', 'numba', 'PIL'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {sorted(heavy)}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_rendering_loads_no_torch(made: Made) -> None:
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from reproid.cli import cli\n"
        "done = CliRunner().invoke(cli, ['report', '--out', 'pages'], catch_exceptions=False)\n"
        "sys.exit('torch is loaded' if 'torch' in sys.modules else done.exit_code)"
    )
    made.fill()
    done = subprocess.run([sys.executable, "-c", code], cwd=made.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (made.root / "pages" / "protocols.html").is_file()
