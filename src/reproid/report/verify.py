"""Do result files belong where they lie? A run id is a hash of the settings in run.json, so it can be computed again."""

from dataclasses import dataclass

from reproid.catalog.catalog import Catalog
from reproid.catalog.plan import plan_suite
from reproid.catalog.protocols import get_protocol
from reproid.catalog.runs import Run, make_run
from reproid.report.results import Damaged, Metrics, Results


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was checked."""

    runs: int
    """Runs whose files are all in order."""
    missing: int
    """Runs of the suite that have no metrics yet."""
    wrong: tuple[str, ...]
    """What is not as it should be, one sentence each."""


def verify_suite(catalog: Catalog, results: Results) -> Verification:
    """Hold run.json and every metrics file of the suite's runs against the run id that their folder is named by."""
    wrong: list[str] = []
    checked: dict[str, bool] = {}
    for table in plan_suite(catalog):
        for entry in table.metrics():
            run_id = entry.run.run_id
            metrics = results.metrics(entry.path)
            checked.setdefault(run_id, metrics is not None)
            if metrics is not None:
                wrong += _check_metrics(entry.path, metrics, run_id, entry.protocol) + _check_run(entry.run, results)
    bad = tuple(dict.fromkeys(wrong))
    done = sum(checked.values())
    return Verification(runs=done if not bad else 0, missing=len(checked) - done, wrong=bad)


def _check_run(run: Run, results: Results) -> list[str]:
    path = f"{run.folder}/run.json"
    content = results.plain(path)
    if not isinstance(content, dict):
        return [str(content) if isinstance(content, Damaged) else f"{path}: missing"]
    try:
        found = Run.model_validate(content)
    except ValueError as error:
        return [f"{path}: not a run ({str(error).splitlines()[0]})"]
    made = make_run(
        found.settings, dataset=found.dataset, data=found.data, split=found.split, seed=found.seed, revision=found.revision
    )
    return [] if made.run_id == run.run_id else [f"{path}: its settings give run id {made.run_id}, not {run.run_id}"]


def _check_metrics(path: str, metrics: Metrics | Damaged, run_id: str, protocol: str) -> list[str]:
    if isinstance(metrics, Damaged):
        return [str(metrics)]
    wrong = []
    if metrics.made_with.run_id != run_id:
        wrong.append(f"{path}: made from run {metrics.made_with.run_id or 'unknown'}, not {run_id}")
    expected = get_protocol(protocol)
    if (metrics.protocol.name, metrics.protocol.revision) != (expected.name, expected.revision):
        got = f"{metrics.protocol.name} revision {metrics.protocol.revision}"
        wrong.append(f"{path}: scored under {got}, not {expected.name} revision {expected.revision}")
    return wrong
