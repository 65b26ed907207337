"""Runs and their identity: known before any data exist, so that the workflow can plan.

A run is a training and its test. Runs that differ in options of the test alone share one training: the id of such a run is that
of the training, a hyphen, and a hash of those options.
"""

from pydantic import NonNegativeInt, PositiveInt

from reproid.catalog._yaml import Strict
from reproid.catalog.datasets import DataSet, RealDataSet, SyntheticDataSet
from reproid.catalog.digest import digest
from reproid.catalog.methods import load_methods
from reproid.catalog.settings import Settings

SCHEMA = 1
TEST_DIGITS = 6
"""Of the hash of a test's options in a run id."""


class Run(Strict):
    """One training with its test, and what they are made of: the file run.json."""

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

    @property
    def training_id(self) -> str:
        """Id of the run whose training this one tests: its own, unless options of its test have other values."""
        return self.run_id.partition("-")[0]

    @property
    def trains(self) -> bool:
        """Whether the run trains by itself."""
        return self.run_id == self.training_id


def make_run(
    settings: Settings, *, dataset: str, data: RealDataSet | SyntheticDataSet, split: str, seed: int, revision: int
) -> Run:
    """Return the run of these settings; equal arguments give equal ids, whatever table or suite asks for it."""
    method = load_methods().get(settings.method)
    options = settings.options
    trained, tested = (options, {}) if method is None else (method.of_training(options), method.of_test(options))
    identity = {
        "schema": SCHEMA,
        "settings": settings.model_copy(update={"options": trained}).model_dump(mode="json"),
        "dataset": dataset,
        "data": data.identity(),
        "split": split,
        "seed": seed,
        "revision": revision,
    }
    run_id = digest(identity)
    if tested:
        run_id += f"-{digest(tested)[:TEST_DIGITS]}"
    return Run(run_id=run_id, dataset=dataset, data=data, split=split, seed=seed, revision=revision, settings=settings)


def training_of(run: Run) -> Run:
    """Return the run whose training a run tests: itself, or the one with the default options of the test."""
    if run.trains:
        return run
    options = load_methods()[run.settings.method].of_training(run.settings.options)
    settings = run.settings.model_copy(update={"options": options})
    return run.model_copy(update={"run_id": run.training_id, "settings": settings})
