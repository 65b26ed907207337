"""Data sets as declared in datasets.yaml: layout, counts to assert, licence, how to obtain them."""

from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from reproid.catalog._yaml import Strict
from reproid.catalog.digest import digest
from reproid.catalog.project import data_folder
from reproid.catalog.synthetic import RENDERER_REVISION, SyntheticSpec

Layout = Literal["mars", "ls-vid", "ilids-vid", "prid-2011", "dukemtmc-videoreid", "folder"]
Availability = Literal["available", "missing", "withdrawn"]


class Archive(Strict):
    """One file of a data set on its authors' server."""

    url: str
    sha256: str | None = None
    """Verified when known; recorded on first use otherwise."""

    @property
    def file(self) -> str:
        """Name of the file: the last part of the address."""
        return PurePosixPath(unquote(urlsplit(self.url).path)).name

    @model_validator(mode="after")
    def _check(self) -> "Archive":
        if urlsplit(self.url).scheme not in ("http", "https") or not self.file:
            raise ValueError("url: an http or https address that ends in a file's name")
        return self


class Obtain(Strict):
    """How a user gets the data."""

    page: str
    """The authors' page."""
    how: str
    """What to do, and which folder must hold what."""
    form: str | None = None
    """What must be signed or filled in, and where it is found; null: nothing."""
    archives: tuple[Archive, ...] = ()
    """All files of the data set, where its authors offer them without a form; `reproid data get` fetches them."""


class _DataSet(Strict):
    title: str
    """As papers print it."""
    layout: Layout
    layout_version: PositiveInt = 1
    """Raised when the same files would be read differently: part of the run id."""
    splits: tuple[str, ...] = ("official",)
    licence: str


class RealDataSet(_DataSet):
    """A data set that its authors distribute."""

    source: Literal["real"]
    obtain: Obtain
    counts: dict[str, PositiveInt] = {}
    """What an index and `reproid data check` assert: part of every run's id."""
    reported: dict[str, PositiveInt] = {}
    """Further counts of the authors' paper, which nobody here has seen in the files: `reproid data check` alone asserts them."""
    cameras: dict[str, tuple[NonNegativeInt, ...]] = {}
    """The same per camera, in the order of camera numbers, for `reproid data check` alone: query_tracklets: [524, 456, ...]."""
    restricted: bool = True
    """Whether frames and what is made of them must not be published: `reproid push` and `reproid report --public` keep to it."""
    status: Literal["offered", "withdrawn"] = "offered"
    reason: str | None = None
    """Why it was withdrawn."""

    def identity(self) -> dict[str, Any]:
        """Return what a run id depends on."""
        return {"layout": self.layout, "layout_version": self.layout_version, "counts": dict(sorted(self.counts.items()))}


class SyntheticDataSet(_DataSet):
    """A rendered data set: its parameters are its declaration."""

    source: Literal["synthetic"]
    spec: SyntheticSpec
    renderer_revision: PositiveInt = Field(default_factory=lambda: RENDERER_REVISION)
    """Written into run.json; datasets.yaml leaves it out, for it is the code's."""

    def identity(self) -> dict[str, Any]:
        """Return what a run id depends on."""
        return {
            "layout": self.layout,
            "layout_version": self.layout_version,
            "spec": self.spec.model_dump(mode="json"),
            "renderer_revision": self.renderer_revision,
        }


DataSet = Annotated[RealDataSet | SyntheticDataSet, Field(discriminator="source")]


class DataSets(Strict):
    """The file datasets.yaml."""

    datasets: dict[str, DataSet]

    @model_validator(mode="after")
    def _check(self) -> "DataSets":
        if any("renderer_revision" in dataset.model_fields_set for dataset in self.datasets.values()):
            raise ValueError("no renderer_revision: it is the code's")
        return self


def folder_of(name: str, dataset: RealDataSet | SyntheticDataSet, root: Path) -> Path:
    """Return where the files of a data set lie.

    Rendered ones lie apart from the user's, in data/synthetic/<name>/<digest>: they belong to the results, and other parameters
    or another revision of the renderer are another folder.
    """
    if isinstance(dataset, SyntheticDataSet):
        return root / "data" / "synthetic" / name / digest(dataset.identity())
    return data_folder(root, name)


def index_of(name: str, dataset: RealDataSet | SyntheticDataSet, root: Path) -> Path:
    """Return where the tracklet index of a data set lies: results/index/<name>/<digest of its declaration>."""
    return root / "results" / "index" / name / digest(dataset.identity())


def availability(name: str, dataset: RealDataSet | SyntheticDataSet, root: Path) -> Availability:
    """Tell whether a data set can be used on this machine.

    Synthetic data always can: a rule renders them. Real data can when their folder exists; withdrawn data are off unless the user
    has put a copy there.
    """
    if isinstance(dataset, SyntheticDataSet) or folder_of(name, dataset, root).is_dir():
        return "available"
    return "withdrawn" if dataset.status == "withdrawn" else "missing"
