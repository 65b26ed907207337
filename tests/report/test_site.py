"""The written pages: their numbers, their links, their bytes, what they escape."""

import re
from pathlib import Path

import pytest

from report.made import TABLE, Made
from report.pages import broken_links, own_numbers, parse
from reproid.errors import InputError
from reproid.report.model import load_report
from reproid.report.render import HERE
from reproid.report.site import LIST, write_report
from reproid.report.summary import build_summary


def write(made: Made, suite: str = "demo", name: str = "reports") -> Path:
    out = made.root / name
    write_report(made.catalog(suite), made.read(), out)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_pages_show_the_numbers_of_the_summary(made: Made) -> None:
    made.fill()
    summary = build_summary(made.catalog(), made.read())
    out = write(made)
    shown = 0
    for name, rows in summary["tables"].items():
        paper = name.partition("/")[0]
        order = [table.name for table in load_report(made.catalog(), made.read()).tables_of(paper)]
        table = own_numbers(out / "papers" / f"{paper}.html")[order.index(name)]
        assert len(table) == len(rows)
        for cells, values in zip(table, rows.values(), strict=True):
            assert [None if cell is None else float(cell) for cell in cells] == list(values.values())
            shown += sum(cell is not None for cell in cells)
    assert shown == made.numbers()[1] >= 10


def test_tables_of_a_paper_come_by_number_and_then_its_figures(made: Made) -> None:
    names = [table.name for table in load_report(made.catalog("tiny"), made.read()).tables_of("psformer")]
    assert names[0] == "psformer/table-1"
    assert names.index("psformer/table-9") < names.index("psformer/table-10")
    assert names.index("psformer/table-10") < names.index("psformer/figure-5")


def test_pages_of_a_full_suite_have_no_broken_link(made: Made) -> None:
    made.fill()
    assert broken_links(write(made)) == []


def test_pages_of_nothing_have_no_broken_link_and_say_not_run(made: Made) -> None:
    out = write(made)
    assert broken_links(out) == []
    assert "not run" in parse(out / "index.html").text


def test_pages_of_failed_and_damaged_runs_are_written_and_say_so(made: Made) -> None:
    made.fill()
    first, second = (made.entries("demo", "map", table="controls/table-1", row=row)[0] for row in (0, 1))
    made.fail(first.run, "loss is not finite at step 12")
    made.write(f"logs/train/{first.run.dataset}/{first.run.run_id}.log", "epoch 1\nlast <words> of the log\n")
    (made.results / second.path).write_text('{"map": 0.4')
    out = write(made)
    assert broken_links(out) == []
    failed = parse(out / "runs" / f"{first.run.run_id}.html").text
    assert "loss is not finite at step 12" in failed
    assert "last <words> of the log" in failed
    assert "not a JSON file" in parse(out / "runs" / f"{second.run.run_id}.html").text
    index = parse(out / "index.html").text
    assert "4 failed" in index
    assert "4 damaged file" in index
    rows = own_numbers(out / "papers" / "controls.html")[0]
    assert [row == [None] * 4 for row in rows] == [True, True, False, False, False, False]


def test_pages_are_written_twice_with_equal_bytes(made: Made) -> None:
    made.fill()
    assert contents(write(made, name="first")) == contents(write(made, name="second"))


def test_pages_over_older_ones_are_as_if_written_alone(made: Made) -> None:
    made.fill()
    write(made, suite="tiny", name="both")
    (made.root / "both" / "README.md").write_text("kept")
    write(made, suite="demo", name="both")
    assert contents(write(made, name="alone")) | {"README.md": b"kept"} == contents(made.root / "both")


def test_page_list_that_leads_elsewhere_removes_nothing(made: Made) -> None:
    outside = made.root / "outside.html"
    outside.write_text("kept")
    out = write(made)
    (out / LIST).write_text(f"../outside.html\n{outside}\n")
    write(made)
    assert outside.read_text() == "kept"


def test_markup_in_names_is_escaped_everywhere(made: Made) -> None:
    bad = '<script>alert("x")</script><img src=x>'
    made.fill()
    made.replace("papers/psformer/paper.yaml", "short: PSFormer", f"short: '{bad}'")
    made.replace("papers/psformer/tables/table-1.yaml", "title: Five", "title: <script>alert(1)</script> Five")
    made.replace("papers/psformer/tables/table-1.yaml", 'labels: ["ResNet50", ResNet50]', f"labels: ['{bad}', ResNet50]")
    made.replace("suites/demo.yaml", "about: Synthetic", "about: <script>alert(2)</script> Synthetic")
    made.replace("datasets.yaml", "title: MARS", f"title: '{bad}'")
    made.replace("datasets.yaml", "page: https://zheng-lab", "page: javascript:alert(3)//zheng-lab")
    run = made.entries("demo", "map")[0].run
    made.fail(run, bad)
    made.write(f"{run.folder}/history.csv", f"epoch,{bad}\n1,2\n2,3\n")
    out = write(made)
    for path in sorted(out.rglob("*.html")):
        page = parse(path)
        assert page.tags.count("script") == 1, path
        assert "img" not in page.tags, path
        assert not [link for link in page.links if link.startswith("javascript")], path
    assert bad in parse(out / "index.html").text


def test_pages_load_nothing_from_elsewhere(made: Made) -> None:
    made.fill()
    out = write(made)
    for path in sorted(out.rglob("*.html")):
        assert not [load for load in parse(path).loads if "//" in load or load.startswith("http")], path
    for name in ("report.css", "report.js"):
        assert not re.search(r"https?:|//[a-z]+\.|@import|url\(", (out / "assets" / name).read_text()), name


def test_paper_page_names_the_protocol_at_the_column_and_links_own_numbers_to_runs(made: Made) -> None:
    made.fill()
    text = (write(made) / "papers" / "psformer.html").read_text()
    run = made.entries("demo", "map")[0].run
    assert "mars-standard, revision 1" in text
    assert re.search(rf'<span class="own"><a href="\.\./runs/{run.run_id}\.html"><data value="[0-9.]+">', text)
    assert "synthetic: not comparable" in text
    assert "difference" not in re.sub(r"(?s)<h2>How to read a cell.*", "", text)


def test_run_page_shows_settings_counts_and_the_command_that_repeats_it(made: Made) -> None:
    made.fill()
    run = made.entries("demo", "map")[0].run
    text = parse(write(made) / "runs" / f"{run.run_id}.html").text
    for expected in (
        "train.optimizer.lr",
        "dropped: no match in the gallery",
        f"reproid train --run-id {run.run_id}",
        f"snakemake --profile ${{SNAKEMAKE_PROFILE:-local}} --forcerun train -- results/{run.folder}/metrics/mars-standard.json",
        "loss: from 4.25 to 3.1 over 3 epochs.",
        "packages (12)",
    ):
        assert expected in text


def test_table_outside_the_suite_says_so(made: Made) -> None:
    made.replace("suites/demo.yaml", f"tables: [{TABLE}, controls/table-1]", "tables: [controls/table-1]")
    assert "Suite “demo” does not name this table" in parse(write(made) / "papers" / "psformer.html").text


def test_data_set_with_a_name_that_is_no_file_name_is_refused(made: Made) -> None:
    made.replace("datasets.yaml", "  tiny-mars:", "  ../tiny:")
    made.replace("suites/tiny.yaml", "mars: tiny-mars", "mars: ../tiny")
    with pytest.raises(InputError, match=r"cannot name a page.*got '\.\./tiny'"):
        write(made)


def test_templates_are_short_and_calculate_nothing() -> None:
    for path in sorted((HERE / "templates").glob("*.jinja")):
        text = path.read_text()
        assert len(text.splitlines()) < 120, path
        for expression in re.findall(r"\{\{.*?\}\}|\{%.*?%\}", text):
            bare = re.sub(r'"[^"]*"', "", expression.strip("{}%- "))
            assert not re.search(r"[+*/]|\bround\b| - ", bare), f"{path.name}: {expression}"
