"""Papers as files: what was printed, where, under which protocol; which experiment each row is."""

from typing import Any, Literal

from pydantic import Field, PositiveFloat, model_validator

from reproid.catalog._yaml import Strict
from reproid.catalog.partial import partial_of
from reproid.catalog.settings import Settings

Metric = Literal["map", "rank1", "rank5", "rank10", "rank20", "minp", "gmacs", "parameters", "ms_per_video"]
COST_METRICS = frozenset({"gmacs", "parameters", "ms_per_video"})


class Paper(Strict):
    """The file paper.yaml."""

    id: str
    title: str
    short: str
    """The method's name, as other papers cite it."""
    authors: str
    venue: str
    year: int
    link: str | None = None
    """DOI or arXiv id."""
    about: str
    """Two or three sentences: what it proposes, what is re-run here."""


class Experiment(Strict):
    """A method with its options and overrides of the settings."""

    method: str | None = None
    """A folder of reproid.models; left out when ``extends`` gives it."""
    extends: str | None = None
    """<paper>/<experiment> that this one starts from."""
    options: dict[str, Any] = {}
    overrides: partial_of(Settings) = Field(default_factory=partial_of(Settings))  # type: ignore[valid-type]
    fixed: partial_of(Settings) = Field(default_factory=partial_of(Settings))  # type: ignore[valid-type]
    """What makes the experiment what it is: neither a suite nor params.yaml changes it."""
    note: str | None = None
    """A deviation from the paper, or what the paper leaves open and how it is read here."""

    @model_validator(mode="after")
    def _check(self) -> "Experiment":
        if (self.method is None) == (self.extends is None):
            raise ValueError("either method or extends")
        return self


class Experiments(Strict):
    """The file experiments.yaml."""

    defaults: partial_of(Settings) = Field(default_factory=partial_of(Settings))  # type: ignore[valid-type]
    """What the paper says of all its trainings."""
    experiments: dict[str, Experiment]


class Column(Strict):
    """One column of numbers."""

    id: str
    head: str
    """As printed."""
    metric: Metric
    dataset: str | None = None
    """The data set, for accuracy; none for cost."""
    divide_by: PositiveFloat = 1.0
    """For cost printed in a unit of its own, such as parameters in 2^20: own figures are divided by this, then compared."""

    @model_validator(mode="after")
    def _check(self) -> "Column":
        if (self.metric in COST_METRICS) != (self.dataset is None):
            raise ValueError("a dataset for an accuracy metric, and none for a cost metric")
        if self.dataset is not None and self.divide_by != 1:
            raise ValueError("no divide_by for an accuracy metric: accuracies are in points")
        return self


class Row(Strict):
    """One line of a table."""

    labels: tuple[str, ...]
    """The words on its left, one per label head."""
    experiment: str
    """Name in the paper's experiments.yaml, or <paper>/<experiment>."""
    printed: tuple[float | None, ...] = ()
    """Numbers as printed, in column order; null where the paper prints none."""
    fitted: tuple[str, ...] = ()
    """Ids of columns whose print the own settings were chosen to meet: there, agreement is no evidence."""
    note: str | None = None


class Table(Strict):
    """A file of tables/: a printed table or a figure that is one curve per column, or one of ours with nothing printed."""

    id: str
    kind: Literal["table", "figure"] = "table"
    """What the paper calls it."""
    number: str
    """As printed: I, II, 3."""
    title: str
    over: Literal["label", "gmacs"] | None = None
    """Draw its accuracies as curves too: over ``label``, the numbers in the first label, or over ``gmacs``, where own figures are
    those of the runs' own test clips. Null: no curve."""
    label_heads: tuple[str, ...]
    columns: tuple[Column, ...]
    protocols: dict[str, str]
    """Data set -> the protocol that its accuracy columns are scored under."""
    rows: tuple[Row, ...]
    note: str | None = None

    @property
    def heading(self) -> str:
        """What the paper calls it, with its number: Table I, Figure 5."""
        return f"{self.kind.capitalize()} {self.number}"

    @model_validator(mode="after")
    def _check(self) -> "Table":
        for row in self.rows:
            if len(row.labels) != len(self.label_heads):
                raise ValueError(f"{len(self.label_heads)} labels in row {' / '.join(row.labels)}")
            if row.printed and len(row.printed) != len(self.columns):
                raise ValueError(f"{len(self.columns)} printed numbers in row {' / '.join(row.labels)}, found {len(row.printed)}")
        if self.over == "gmacs" and all(column.metric != "gmacs" for column in self.columns):
            raise ValueError("a column of gmacs to draw curves over")
        if self.over == "label":
            for row in self.rows:
                float(row.labels[0])
        missing = sorted({c.dataset for c in self.columns if c.dataset} - set(self.protocols))
        if missing:
            raise ValueError(f"a protocol for data set {missing[0]}")
        return self


class Figure(Strict):
    """A file of figures/: what the report draws of some experiments' runs in place of a printed figure."""

    id: str
    number: str
    """As printed."""
    title: str
    shows: Literal["maps", "points", "history"]
    """maps: what the method sees of some clips' frames; points: a t-SNE of descriptors; history: columns of the training's
    history, one curve per experiment."""
    names: tuple[str, ...] = ()
    """Of the maps or the columns."""
    experiments: tuple[str, ...]
    """Names in the paper's experiments.yaml, or <paper>/<experiment>."""
    dataset: str
    """As the paper names it."""
    note: str | None = None

    @model_validator(mode="after")
    def _check(self) -> "Figure":
        if (self.shows == "points") == bool(self.names):
            raise ValueError("names of maps or columns, and none for points")
        return self
