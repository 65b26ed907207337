"""All pages, written: index.html, papers/, runs/, datasets/, protocols.html, assets/."""

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from reproid.catalog.catalog import Catalog
from reproid.files import write_text
from reproid.report.inspections import find_inspection
from reproid.report.model import Report, load_report
from reproid.report.pages.dataset import dataset_view
from reproid.report.pages.index import index_view
from reproid.report.pages.inspection import inspection_path, inspection_view
from reproid.report.pages.paper import paper_view
from reproid.report.pages.protocols import protocols_view
from reproid.report.pages.run import run_view
from reproid.report.render import ASSETS, Page, asset, render
from reproid.report.results import Results
from reproid.report.text import page_name

FRAMES = "assets/frames-of.txt"
"""The real data sets whose frames stand in the pages; absent where there are none."""
LIST = "assets/pages.txt"
"""What the last rendering wrote, so that the next one removes pages of runs that no longer belong to the suite."""


def write_report(catalog: Catalog, results: Results, out: Path, *, frames_of: Iterable[str] = ()) -> tuple[str, ...]:
    """Write the report and return the paths of its pages below ``out``, sorted.

    Equal inputs give equal bytes. Pages that an earlier rendering wrote and this one does not are removed; nothing else is.

    Args:
        catalog: what is declared.
        results: the result files.
        out: the report's folder.
        frames_of: real data sets whose frames may stand in the pages; by default none, for they must not be published.

    Raises:
        InputError: if the folder cannot be written to, or one of ``frames_of`` is no data set.
    """
    before, frames_of = _listed(out), tuple(frames_of)
    pages = sorted(report_pages(load_report(catalog, results, frames_of=frames_of)), key=lambda page: page.path)
    for name in ASSETS:
        write_text(out / "assets" / name, asset(name))
    for page in pages:
        write_text(out / page.path, render(page))
    paths = tuple(page.path for page in pages)
    for path in sorted(before - set(paths)):
        (out / path).unlink(missing_ok=True)
    shown = sorted(set(frames_of))
    if shown:
        write_text(out / FRAMES, "".join(f"{name}\n" for name in shown))
    else:
        (out / FRAMES).unlink(missing_ok=True)
    write_text(out / LIST, "".join(f"{path}\n" for path in paths))
    return paths


def report_pages(report: Report) -> Iterator[Page]:
    """Yield every page of the report."""
    catalog, suite = report.catalog, report.catalog.suite.name

    def page(path: str, template: str, title: str, view: object) -> Page:
        return Page(path=path, template=template, title=title, view=view, suite=suite)

    yield page("index.html", "index", "ReproID", index_view(report))
    yield page("protocols.html", "protocols", "Protocols", protocols_view(report))
    for name, folder in catalog.papers.items():
        yield page(f"papers/{page_name('paper', name)}", "paper", folder.paper.short, paper_view(report, name))
    for name, dataset in catalog.datasets.items():
        yield page(f"datasets/{page_name('data set', name)}", "dataset", dataset.title, dataset_view(report, name))
    for run_id, record in report.runs.items():
        yield page(f"runs/{page_name('run', run_id)}", "run", f"Run {run_id}", run_view(report, record))
        inspection = find_inspection(report, record)
        if inspection is not None:
            view = inspection_view(report, record, inspection)
            yield page(inspection_path(run_id), "inspection", f"Rankings of run {run_id}", view)


def _listed(out: Path) -> set[str]:
    """Return the pages that the last rendering listed; entries that lead elsewhere are ignored."""
    try:
        lines = (out / LIST).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return set()
    return {line for line in lines if line.endswith(".html") and not PurePosixPath(line).is_absolute() and ".." not in line}
