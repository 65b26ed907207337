"""Intervals of a mean over several runs: persons are drawn for all splits and seeds at once, as `reproid aggregate` does."""

from collections.abc import Mapping

from reproid.errors import InputError
from reproid.report.results import Results

Interval = tuple[float, float]


def joint_intervals(results: Results, paths: tuple[str, ...]) -> Mapping[str, Interval]:
    """Return metric -> 95 % interval of the mean over the splits and seeds of metrics files; fractions 0-1.

    Empty where the table of queries beside one of them is missing or cannot be read, or they hold fewer than two persons.

    Args:
        results: the folder results/.
        paths: metrics files below it, one per split and seed.
    """
    found: Mapping[str, Interval] = results.once(("intervals", paths), lambda: _draw(results, paths))
    return found


def _draw(results: Results, paths: tuple[str, ...]) -> Mapping[str, Interval]:
    # Imported here: they load numpy and pyarrow, which a report of single runs does not need.
    import numpy as np

    from reproid.retrieval.intervals import bootstrap_mean_of_groups, percentile_intervals
    from reproid.retrieval.results import queries_path, read_queries
    from reproid.seeds import derive_seed

    try:
        tables = [read_queries(queries_path(results.folder / path)) for path in paths]
    except InputError:
        return {}
    groups = [table.persons() for table in tables if len(table.pids)]
    if len(groups) < len(tables) or len(np.unique(np.concatenate([group.pids for group in groups]))) < 2:
        return {}
    generator = np.random.default_rng(derive_seed(0, "bootstrap"))
    return percentile_intervals(bootstrap_mean_of_groups(groups, generator), tables[0].metrics[0])
