"""Runs and their identity: known before any data exist, so that the workflow can plan."""

from pydantic import NonNegativeInt, PositiveInt

from reproid.catalog._yaml import Strict
from reproid.catalog.datasets import DataSet, RealDataSet, SyntheticDataSet
from reproid.catalog.digest import digest
from reproid.catalog.settings import Settings

SCHEMA = 1


class Run(Strict):
    """One training and what it is made of: the file run.json."""

    schema_number: PositiveInt = SCHEMA
    run_id: str
    dataset: str
    """Name in datasets.yaml."""
    data: DataSet
    """As declared when the run was planned."""
    split: str
    seed: NonNegativeInt
    revision: PositiveInt
    """The method's."""
    settings: Settings

    @property
    def folder(self) -> str:
        """Path of the run's folder below results/."""
        return f"runs/{self.dataset}/{self.run_id}"


def make_run(
    settings: Settings, *, dataset: str, data: RealDataSet | SyntheticDataSet, split: str, seed: int, revision: int
) -> Run:
    """Return the run of these settings; equal arguments give equal ids, whatever table or suite asks for it."""
    identity = {
        "schema": SCHEMA,
        "settings": settings.model_dump(mode="json"),
        "dataset": dataset,
        "data": data.identity(),
        "split": split,
        "seed": seed,
        "revision": revision,
    }
    return Run(run_id=digest(identity), dataset=dataset, data=data, split=split, seed=seed, revision=revision, settings=settings)
