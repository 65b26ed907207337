"""One page per paper: what it is, its tables, its experiments with what is left open in them."""

from dataclasses import dataclass

from reproid.report.model import Report
from reproid.report.pages._grid import TableView, table_view
from reproid.report.pages._paper_figures import FigureView, figure_views
from reproid.report.pages._parts import Word
from reproid.report.status import MEANINGS, Status
from reproid.report.text import web_link


@dataclass(frozen=True, kw_only=True)
class ExperimentLine:
    """One experiment that has something to say."""

    name: str
    method: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """A status and what it means."""

    word: Word
    text: str


@dataclass(frozen=True, kw_only=True)
class PaperView:
    """A paper's page."""

    kicker: str
    """Whether it was published."""
    title: str
    authors: str
    published: str
    link: str | None
    link_text: str
    about: str
    tables: tuple[TableView, ...]
    figures: tuple[FigureView, ...]
    experiments: tuple[ExperimentLine, ...]
    meanings: tuple[Meaning, ...]


def paper_view(report: Report, paper_id: str) -> PaperView:
    """Return the page of a paper."""
    folder = report.catalog.papers[paper_id]
    paper, tables = folder.paper, report.tables_of(paper_id)
    experiments = tuple(
        ExperimentLine(name=name, method=report.catalog.method_of(f"{paper_id}/{name}"), note=experiment.note)
        for name, experiment in folder.experiments.experiments.items()
        if experiment.note
    )
    return PaperView(
        kicker="Paper" if paper.link else "Tables of this project",
        title=paper.title,
        authors=paper.authors,
        published=f"{paper.venue}, {paper.year}",
        link=web_link(paper.link),
        link_text=paper.link or "",
        about=paper.about,
        tables=tuple(table_view(report, table) for table in tables),
        figures=figure_views(report, paper_id),
        experiments=experiments,
        meanings=meanings({cell.status for table in tables for row in table.rows for cell in row.cells}),
    )


def meanings(found: set[Status]) -> tuple[Meaning, ...]:
    """Return what the statuses that occur mean, in the order of the statuses."""
    return tuple(
        Meaning(word=Word(text=str(status), tone=status.tone), text=MEANINGS[status]) for status in Status if status in found
    )
