"""Series for `dvc plots`: the CMC and the training loss of every run of the suite, as long CSV tables."""

import csv
import io
from collections.abc import Iterable

from reproid.catalog.catalog import Catalog
from reproid.catalog.plan import plan_suite
from reproid.report.results import History, Metrics, Results

MAX_RANK = 50


def cmc_csv(catalog: Catalog, results: Results) -> str:
    """Return run, protocol, rank (1 to 50), cmc (fraction) for every metrics file of the suite that can be read."""
    entries = {entry.path: entry for table in plan_suite(catalog) for entry in table.metrics()}
    rows = []
    for path, entry in sorted(entries.items()):
        metrics = results.metrics(path)
        if isinstance(metrics, Metrics):
            rows += [(entry.run.run_id, entry.protocol, rank, value) for rank, value in enumerate(metrics.cmc[:MAX_RANK], 1)]
    return _csv(("run", "protocol", "rank", "cmc"), rows)


def history_csv(catalog: Catalog, results: Results) -> str:
    """Return run, epoch, loss for every run of the suite whose history can be read."""
    folders = {entry.run.run_id: entry.run.folder for table in plan_suite(catalog) for entry in table.metrics()}
    rows = []
    for run_id, folder in sorted(folders.items()):
        history = results.history(folder)
        if isinstance(history, History) and {"epoch", "loss"} <= set(history.columns):
            epoch, loss = history.columns.index("epoch"), history.columns.index("loss")
            rows += [(run_id, int(row[epoch] or 0), row[loss]) for row in history.rows]
    return _csv(("run", "epoch", "loss"), rows)


def _csv(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()
