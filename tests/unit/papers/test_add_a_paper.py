"""docs/add-a-paper.md, done: its files put into a copy of the project give the cells and the pages that it promises."""

import json
import re

import pytest

from support.project import ROOT, Project, copy_project

PAGE = (ROOT / "docs/add-a-paper.md").read_text()
BLOCKS = dict(re.findall(r"```yaml\n# (\S+?),?(?: [^\n]*)?\n(.*?)```", PAGE, flags=re.DOTALL))


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy_project(tmp_path_factory.mktemp("paper") / "project", "tiny")
    for path, text in BLOCKS.items():
        if path.startswith("papers/"):
            target = project.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        else:
            project.edit(path, "tables: [", f"tables: [{text.strip()}, ")
    return project


def test_page_touches_at_most_five_files() -> None:
    papers = [path.removeprefix("papers/mine/") for path in BLOCKS if path.startswith("papers/")]
    assert papers == ["paper.yaml", "experiments.yaml", "tables/table-1.yaml"]
    assert len(BLOCKS) == 4


def test_paper_added_as_the_page_says_has_its_cells_in_the_tables_file(copied: Project) -> None:
    done = copied.run("python", "-m", "reproid", "table", "mine/table-1", "--out", "table-1.json")
    assert (done.returncode, done.stderr) == (0, "")
    table = json.loads((copied.folder / "table-1.json").read_text())
    cells = [[(cell["printed"], cell["status"]) for cell in row["cells"]] for row in table["rows"]]
    assert cells[0] == [(80.1, "not run"), (87.2, "not run"), (23.5, "not run")]
    assert cells[1] == [(84.3, "method missing"), (89.4, "method missing"), (None, "method missing")]
    assert cells[2] == [(None, "method missing")] * 3
    assert [column["protocol"] for column in table["columns"]] == ["mars-standard", "mars-standard", None]


def test_paper_added_as_the_page_says_has_its_page_in_the_report(copied: Project) -> None:
    done = copied.run("python", "-m", "reproid", "report", "--out", "reports")
    assert done.returncode == 0, done.stderr
    page = (copied.folder / "reports/papers/mine.html").read_text()
    for text in ("A Network of Mine", "84.3", "23.5", "method missing", "not run", "MyNet, as released"):
        assert text in page
    assert "papers/mine.html" in (copied.folder / "reports/index.html").read_text()


def test_paper_added_with_a_number_too_few_names_file_and_row(copied: Project) -> None:
    path = "papers/mine/tables/table-1.yaml"
    copied.edit(path, "[80.1, 87.2, 23.5]", "[80.1, 87.2]")
    done = copied.run("python", "-m", "reproid", "table", "mine/table-1", "--out", "other.json")
    copied.edit(path, "[80.1, 87.2]", "[80.1, 87.2, 23.5]")
    assert done.returncode == 2
    assert re.search(r"mine/tables/table-1.yaml: .*3 printed numbers in row Baseline, found 2", done.stderr)
    assert done.stderr.count("\n") == 1
    assert not (copied.folder / "other.json").exists()


@pytest.mark.parametrize("page", sorted(path.stem for path in (ROOT / "docs").glob("add-a-*.md")))
def test_pages_name_files_that_exist(page: str) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text()
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    named = [name for name in re.findall(r"`((?:src|tests|papers|suites)/[\w./-]+)`", text) if "mine" not in name]
    assert len(links) + len(named) >= 2
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
    assert [name for name in named if not (ROOT / name).exists()] == []
