"""What lies beside a run's numbers to look at: inspection/<protocol>.json, and pictures where they may be shown."""

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from reproid.catalog.datasets import folder_of, index_of
from reproid.errors import InputError
from reproid.report.model import Report, RunRecord
from reproid.report.results import Fraction, ResultFile


class Place(ResultFile):
    """One place of a ranking."""

    tracklet_id: str
    correct: bool


class QueryGallery(ResultFile):
    """One query with the first places of its ranking."""

    query_id: str
    pid: int
    camid: int
    ap: Fraction
    first_hit_rank: PositiveInt
    positives: PositiveInt
    places: tuple[Place, ...]


class CameraPairs(ResultFile):
    """Rank-1 where the gallery is one camera's tracklets alone: by query camera, then gallery camera."""

    cameras: tuple[int, ...]
    rank1: tuple[tuple[Fraction | None, ...], ...]
    queries: tuple[tuple[NonNegativeInt, ...], ...]


class DistanceHistogram(ResultFile):
    """Pairs by distance."""

    edges: tuple[float, ...]
    same: tuple[NonNegativeInt, ...]
    different: tuple[NonNegativeInt, ...]

    @model_validator(mode="after")
    def _check(self) -> "DistanceHistogram":
        if not len(self.edges) - 1 == len(self.same) == len(self.different):
            raise ValueError("one edge more than bins")
        return self


class Inspection(ResultFile):
    """inspection/<protocol>.json."""

    schema_number: Literal[1] = Field(alias="schema")
    protocol: str
    camera_pairs: CameraPairs
    distances: DistanceHistogram
    drawn: tuple[QueryGallery, ...]
    hardest: tuple[QueryGallery, ...]

    def tracklets(self) -> tuple[str, ...]:
        """Return the ids of all tracklets in the galleries, sorted."""
        galleries = (*self.drawn, *self.hardest)
        ids = {place.tracklet_id for gallery in galleries for place in gallery.places}
        return tuple(sorted(ids | {gallery.query_id for gallery in galleries}))


def find_inspection(report: Report, record: RunRecord) -> Inspection | None:
    """Return what there is to look at of a finished run, under the first of its protocols that has a readable file."""
    if record.state != "done":
        return None
    files = (report.results.read(f"{record.run.folder}/inspection/{name}.json", Inspection) for name in record.protocols)
    return next((file for file in files if isinstance(file, Inspection)), None)


def may_show(report: Report, dataset: str) -> bool:
    """Tell whether frames of a data set may stand in a page: rendered ones always, real ones only where the user said so."""
    return report.catalog.datasets[dataset].source == "synthetic" or dataset in report.frames_of


def frames_options(report: Report, dataset: str) -> str:
    """Return the options by which `reproid compare` finds the frames; '' where they may not be shown or lie elsewhere."""
    declared, root = report.catalog.datasets[dataset], report.catalog.root
    index, data = index_of(dataset, declared, root), folder_of(dataset, declared, root)
    if not may_show(report, dataset) or not data.is_relative_to(root):
        return ""
    return f" --index {index.relative_to(root).as_posix()} --data {data.relative_to(root).as_posix()}"


def pictures(report: Report, dataset: str, tracklets: Iterable[str]) -> Mapping[str, str]:
    """Return data URIs of tracklets by id: none where frames may not be shown, or index or frames are not on this machine."""
    if not may_show(report, dataset):
        return {}
    # Imported here: it loads pyarrow and Pillow, which no other page needs.
    from reproid.retrieval.pictures import thumbnails

    declared, root = report.catalog.datasets[dataset], report.catalog.root
    index = report.results.folder / index_of(dataset, declared, root).relative_to(root / "results")
    try:
        return thumbnails(tuple(tracklets), index=index, data=folder_of(dataset, declared, root))
    except InputError:
        return {}
