"""Suites: which tables, on which data, at which size. And params.yaml, which chooses one."""

from typing import Any

from pydantic import Field, NonNegativeInt

from reproid.catalog._yaml import Strict
from reproid.catalog.costs import CostSettings
from reproid.catalog.partial import partial_of
from reproid.catalog.settings import Settings

_Overrides = partial_of(Settings)


class Suite(Strict):
    """A file of suites/."""

    name: str
    about: str
    """What it is for, how long it takes, on what."""
    tables: tuple[str, ...]
    """<paper>/<table>, in the order of the report."""
    datasets: dict[str, str]
    """Data set as the table names it -> the one that is used in its place (the same name for the real one)."""
    seeds: tuple[NonNegativeInt, ...]
    experiments: dict[str, tuple[str, ...]] | None = None
    """<paper>/<experiment> -> data sets as the tables name them: all that is run and measured. Null: everything."""
    overrides: _Overrides = Field(default_factory=_Overrides)  # type: ignore[valid-type]
    """Laid over every experiment's settings."""
    options: dict[str, dict[str, Any]] = {}
    """Method -> options laid over every experiment's."""
    cost: CostSettings = CostSettings()
    """What is timed. The cost itself is always that of the papers' own settings: overrides and options do not touch it."""

    def includes(self, experiment: str, dataset: str | None) -> bool:
        """Tell whether the suite runs an experiment on a data set; None: whether it measures its cost."""
        if self.experiments is None:
            return True
        return experiment in self.experiments and (dataset is None or dataset in self.experiments[experiment])


class Params(Strict):
    """The file params.yaml: the only place that a user changes to change results."""

    suite: str
    seeds: tuple[NonNegativeInt, ...] | None = None
    """Null: the suite's own."""
    overrides: _Overrides = Field(default_factory=_Overrides)  # type: ignore[valid-type]
    """Laid over everything else; null leaves a value as the suite has it."""
