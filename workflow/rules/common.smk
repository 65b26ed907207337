# The plan: which runs, metrics and tables the suite of params.yaml needs. Loaded once per process, in well under a second.
import sys
from pathlib import Path

from reproid.catalog.catalog import load_catalog, suite_names
from reproid.catalog.datasets import SyntheticDataSet, folder_of, index_of
from reproid.catalog.plan import find_run, plan_suite, plan_table, planned_runs
from reproid.catalog.project import prefer_own_programs
from reproid.catalog.site import load_site
from reproid.errors import InputError

prefer_own_programs()  # jobs find `reproid` beside the Python that runs Snakemake, whether its environment is activated or not

try:
    CATALOG = load_catalog(Path.cwd())
    PLAN = plan_suite(CATALOG)
    SITE = load_site(CATALOG.root)
except InputError as error:
    print(f"reproid: error: {error}", file=sys.stderr)
    sys.exit(2)

RUNS = planned_runs(PLAN)  # by run id
TABLES = {table.name: table for table in PLAN}


wildcard_constraints:
    dataset="[a-z0-9-]+",
    digest="[0-9a-f]{12}",
    run_id="[0-9a-f]{12}",
    cost_id="[0-9a-f]{12}",
    protocol="[a-z0-9-]+",
    sampling="[a-z]+",
    paper="[a-z0-9-]+",
    table="[a-z0-9-]+",


def marker_of(wildcards):
    """What says that a data set is complete: a rendered one's marker; nothing for a real one, which its index checks."""
    dataset = CATALOG.datasets.get(wildcards.dataset)
    return str(folder_of(wildcards.dataset, dataset, Path()) / "synthetic.json") if isinstance(dataset, SyntheticDataSet) else []


def index_of_run(wildcards):
    """The index of the data that a run is declared on."""
    run = RUNS.get(wildcards.run_id) or find_run(CATALOG, wildcards.run_id)
    return [str(index_of(run.dataset, run.data, Path()) / f"{name}.parquet") for name in ("tracklets", "splits")]


def table_inputs(wildcards):
    """What a table shows, and its own file: a changed printed number renders it anew and trains nothing."""
    name = f"{wildcards.paper}/{wildcards.table}"
    table = TABLES.get(name) or plan_table(CATALOG, name)
    return [f"papers/{wildcards.paper}/tables/{wildcards.table}.yaml", *made_for([table])]


def suite_metrics(suite=None):
    """Every metrics file and measured cost of a suite; by default that of params.yaml."""
    tables = PLAN if suite is None else plan_suite(load_catalog(CATALOG.root, suite=suite))
    return made_for(tables)


def made_for(tables):
    """Every file below results/ that tables show numbers of, once."""
    return sorted({f"results/{entry.path}" for table in tables for entry in (*table.metrics(), *table.costs())})


def embeddings_of(wildcards):
    """The embeddings that a run is scored on: those of the sampling in its settings."""
    run = RUNS.get(wildcards.run_id) or find_run(CATALOG, wildcards.run_id)
    return f"results/{run.folder}/embeddings/{run.settings.embed.sampling}.npz"


def threads_of(wildcards):
    """One for clips as small as the tiny and demo suites' (4 frames of 64x32): two such jobs then share a small machine."""
    clips = (RUNS.get(wildcards.run_id) or find_run(CATALOG, wildcards.run_id)).settings.clips
    return 1 if clips.frames * clips.height * clips.width <= 8192 else 4
