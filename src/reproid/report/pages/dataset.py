"""One page per data set: layout, counts, licence, how to obtain it, or how it is rendered."""

from dataclasses import dataclass

from reproid.catalog.datasets import Archive, SyntheticDataSet, availability
from reproid.catalog.synthetic import RENDERER_REVISION
from reproid.report.model import Report
from reproid.report.pages._media import MediaView, media_views
from reproid.report.pages._parts import Fact, RunLine, Word, facts, run_lines
from reproid.report.text import number, web_link


@dataclass(frozen=True, kw_only=True)
class DatasetView:
    """A data set's page."""

    name: str
    title: str
    synthetic: bool
    state: Word
    reason: str
    """Why it was withdrawn."""
    licence: str
    layout: str
    splits: tuple[str, ...]
    counts: tuple[Fact, ...]
    page: Fact | None
    how: str
    archives: tuple[Archive, ...]
    spec: tuple[Fact, ...]
    """Parameters of a rendered set."""
    command: str
    media: tuple[MediaView, ...]
    """Its encoded test clips, where runs on it read any."""
    runs: tuple[RunLine, ...]


def dataset_view(report: Report, name: str) -> DatasetView:
    """Return the page of a data set."""
    dataset = report.catalog.datasets[name]
    titles = {key: value.title for key, value in report.catalog.datasets.items()}
    real = None if isinstance(dataset, SyntheticDataSet) else dataset
    spec = facts(dataset.spec.model_dump(mode="json")) if isinstance(dataset, SyntheticDataSet) else ()
    revision = (Fact(name="renderer revision", value=str(RENDERER_REVISION)),) if spec else ()
    return DatasetView(
        name=name,
        title=dataset.title,
        synthetic=real is None,
        state=_state(report, name),
        reason=(real.reason or "") if real else "",
        licence=dataset.licence,
        layout=f"{dataset.layout}, version {dataset.layout_version}",
        splits=dataset.splits,
        counts=tuple(Fact(name=key.replace("_", " "), value=number(value, 0)) for key, value in real.counts.items())
        if real
        else (),
        page=Fact(name="page", value=real.obtain.page, href=web_link(real.obtain.page)) if real else None,
        how=real.obtain.how if real else "",
        archives=real.obtain.archives if real else (),
        spec=tuple(Fact(name=fact.name.replace("_", " "), value=fact.value) for fact in spec) + revision,
        command=f"reproid data {'index' if real else 'synth'} --dataset {name}",
        media=media_views(report, name),
        runs=run_lines(report.runs_on(name), titles),
    )


def _state(report: Report, name: str) -> Word:
    dataset = report.catalog.datasets[name]
    if isinstance(dataset, SyntheticDataSet):
        return Word(text="rendered here", tone="aside")
    state = availability(name, dataset, report.catalog.root)
    if state == "available":
        return Word(text="on this machine", tone="good")
    return Word(text=f"data {state}")
