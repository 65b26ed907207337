"""The catalog: params.yaml, the suite it names, the data sets and every paper, loaded and checked against each other."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reproid.catalog._yaml import load_yaml, validate
from reproid.catalog.datasets import DataSets, RealDataSet, SyntheticDataSet
from reproid.catalog.methods import Method, load_methods
from reproid.catalog.papers import Experiment, Experiments, Figure, Paper, Table
from reproid.catalog.partial import layer, merge
from reproid.catalog.project import project_root
from reproid.catalog.protocols import get_protocol
from reproid.catalog.settings import Settings
from reproid.catalog.suites import Params, Suite
from reproid.errors import InputError, unknown_name


@dataclass(frozen=True, kw_only=True)
class PaperFolder:
    """One folder of papers/."""

    folder: Path
    paper: Paper
    experiments: Experiments
    tables: dict[str, Table]
    figures: dict[str, Figure]


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """Everything that is declared, for one choice of params.yaml."""

    root: Path
    params: Params
    suite: Suite
    datasets: dict[str, RealDataSet | SyntheticDataSet]
    papers: dict[str, PaperFolder]
    methods: dict[str, Method]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of every experiment: those of params.yaml, or the suite's."""
        return self.params.seeds if self.params.seeds is not None else self.suite.seeds

    def table(self, name: str) -> Table:
        """Return the table ``<paper>/<table>``.

        Raises:
            InputError: if no paper has it.
        """
        paper, _, table = name.partition("/")
        known = [f"{p}/{t}" for p, folder in self.papers.items() for t in folder.tables]
        if paper not in self.papers or table not in self.papers[paper].tables:
            raise unknown_name("table", name, sorted(known), where=self.root / "papers")
        return self.papers[paper].tables[table]

    def experiment(self, name: str) -> Experiment:
        """Return the experiment ``<paper>/<experiment>``.

        Raises:
            InputError: if no paper declares it.
        """
        paper, _, experiment = name.partition("/")
        known = [f"{p}/{e}" for p, folder in self.papers.items() for e in folder.experiments.experiments]
        if name not in known:
            raise unknown_name("experiment", name, sorted(known), where=self.root / "papers")
        return self.papers[paper].experiments.experiments[experiment]

    def method_of(self, name: str) -> str:
        """Return the method of the experiment ``<paper>/<experiment>``, whether it is implemented or not."""
        experiment = self.experiment(name)
        return experiment.method or self.method_of(str(experiment.extends))

    def resolve(self, name: str, *, scaled: bool = True) -> Settings:
        """Return the settings of the experiment ``<paper>/<experiment>``.

        Later layers win: defaults, the paper, the experiment, the suite, params.yaml, what the experiment holds fixed.

        Args:
            name: the experiment.
            scaled: False leaves out the suite and params.yaml: the paper's own settings.

        Raises:
            InputError: if its method is not implemented, or a layer holds an unknown option or a value that does not fit.
        """
        where = self.root / "papers" / name.partition("/")[0] / "experiments.yaml"
        method_name = self.method_of(name)
        if method_name not in self.methods:
            raise unknown_name("method", method_name, sorted(self.methods), where=where)
        values, options = self._layers(name)
        scaling = (layer(self.suite.overrides), layer(self.params.overrides)) if scaled else ()
        for over in (*scaling, self._fixed(name)):
            values = merge(values, over)
        for more in (self.suite.options if scaled else {}, values.pop("options", {})):
            options = merge(options, more.get(method_name, {}))
        method = self.methods[method_name]
        if "gop" in method.requires:
            values.setdefault("gop", {})
        else:
            values.pop("gop", None)  # of a layer that lies over many methods
        values["method"] = method_name
        values["options"] = method.resolve_options(options, where=f"experiment {name}")
        return validate(values, Settings, where=f"settings of experiment {name}")

    def _fixed(self, name: str) -> dict[str, Any]:
        """Return what the experiment, and those it extends, hold fixed."""
        experiment = self.experiment(name)
        below = self._fixed(experiment.extends) if experiment.extends is not None else {}
        return merge(below, layer(experiment.fixed))

    def _layers(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return settings and options of the paper and the experiment, those it extends below them."""
        experiment = self.experiment(name)
        if experiment.extends is not None:
            values, options = self._layers(experiment.extends)
        else:
            values, options = layer(self.papers[name.partition("/")[0]].experiments.defaults), {}
        return merge(values, layer(experiment.overrides)), merge(options, experiment.options)


def load_catalog(root: Path | None = None, *, suite: str | None = None) -> Catalog:
    """Load and check everything.

    Args:
        root: the project's folder; by default the one at or above the current folder.
        suite: a suite other than that of params.yaml.

    Raises:
        InputError: the first mistake found, with its file and key.
    """
    root = root or project_root()
    params = load_yaml(root / "params.yaml", Params)
    catalog = Catalog(
        root=root,
        params=params,
        suite=_load_suite(root, suite or params.suite),
        datasets=dict(load_yaml(root / "datasets.yaml", DataSets).datasets),
        papers={path.parent.name: _load_paper(path.parent) for path in sorted((root / "papers").glob("*/paper.yaml"))},
        methods=load_methods(),
    )
    _check(catalog)
    return catalog


def suite_names(root: Path) -> list[str]:
    """Return the names of the suites of a project, sorted."""
    return sorted(path.stem for path in (root / "suites").glob("*.yaml"))


def _load_suite(root: Path, name: str) -> Suite:
    known = suite_names(root)
    if name not in known:
        raise unknown_name("suite", name, known, where=root / "params.yaml, key 'suite'")
    suite = load_yaml(root / "suites" / f"{name}.yaml", Suite)
    if suite.name != name:
        raise InputError("name differs from the file's", where=root / "suites" / f"{name}.yaml", expected=name, got=suite.name)
    return suite


def _load_paper(folder: Path) -> PaperFolder:
    paper = load_yaml(folder / "paper.yaml", Paper)
    tables = {path.stem: load_yaml(path, Table) for path in sorted((folder / "tables").glob("*.yaml"))}
    figures = {path.stem: load_yaml(path, Figure) for path in sorted((folder / "figures").glob("*.yaml"))}
    ids = [(stem, record.id) for records in (tables, figures) for stem, record in records.items()]
    for name, got in [(folder.name, paper.id), *ids]:
        if name != got:
            raise InputError("id differs from the name on disk", where=folder, expected=name, got=got)
    experiments = load_yaml(folder / "experiments.yaml", Experiments)
    return PaperFolder(folder=folder, paper=paper, experiments=experiments, tables=tables, figures=figures)


def _check(catalog: Catalog) -> None:
    """Check every name that one file uses and another declares."""
    known = sorted(catalog.datasets)
    for name, used in catalog.suite.datasets.items():
        for dataset in (name, used):
            if dataset not in catalog.datasets:
                raise unknown_name("data set", dataset, known, where=f"suites/{catalog.suite.name}.yaml, key 'datasets'")
    for name in catalog.suite.tables:
        catalog.table(name)
    for name, datasets in (catalog.suite.experiments or {}).items():
        catalog.experiment(name)
        for dataset in datasets:
            if dataset not in catalog.datasets:
                raise unknown_name("data set", dataset, known, where=f"suites/{catalog.suite.name}.yaml, experiment '{name}'")
    for paper_id, folder in catalog.papers.items():
        for table in folder.tables.values():
            where = folder.folder / "tables" / f"{table.id}.yaml"
            for dataset, protocol in table.protocols.items():
                if dataset not in catalog.datasets:
                    raise unknown_name("data set", dataset, known, where=where)
                get_protocol(protocol)
            for row in table.rows:
                catalog.method_of(full_name(paper_id, row.experiment))
        for figure in folder.figures.values():
            if figure.dataset not in catalog.datasets:
                raise unknown_name("data set", figure.dataset, known, where=folder.folder / "figures" / f"{figure.id}.yaml")
            for experiment in figure.experiments:
                catalog.method_of(full_name(paper_id, experiment))


def full_name(paper: str, experiment: str) -> str:
    """Return ``<paper>/<experiment>`` for a name that a paper's own table may give without its paper."""
    return experiment if "/" in experiment else f"{paper}/{experiment}"
