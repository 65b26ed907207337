# The plan: which runs, metrics and tables the suite of params.yaml needs. Loaded once per process, in well under a second.
import signal
import sys
from functools import cache
from pathlib import Path

from reproid.catalog.catalog import load_catalog, suite_names
from reproid.catalog.datasets import SyntheticDataSet, folder_of, index_of
from reproid.catalog.executor import keep_asking_squeue
from reproid.catalog.media import plan_media
from reproid.catalog.plan import find_media, find_run, plan_suite, plan_table, planned_media, planned_runs
from reproid.catalog.project import prefer_own_programs
from reproid.catalog.site import load_site
from reproid.errors import InputError

prefer_own_programs()  # jobs find `reproid` beside the Python that runs Snakemake, whether its environment is activated or not
keep_asking_squeue()

try:
    CATALOG = load_catalog(Path.cwd())
    PLAN = plan_suite(CATALOG)
    SITE = load_site(CATALOG.root)
except InputError as error:
    print(f"reproid: error: {error}", file=sys.stderr)
    sys.exit(2)

RUNS = planned_runs(PLAN)  # by run id
MEDIA = planned_media(PLAN)  # by media id
TABLES = {table.name: table for table in PLAN}
shell.prefix(SITE.launcher().replace("{", "{{").replace("}", "}}"))
# SLURM sends it to every process of a job before its time limit. Only a training answers; Snakemake, and what else it starts, go on.
signal.signal(signal.SIGUSR1, signal.SIG_IGN)


wildcard_constraints:
    dataset="[a-z0-9-]+",
    digest="[0-9a-f]{12}",
    run_id="[0-9a-f]{12}(-[0-9a-f]{6})?",
    training_id="[0-9a-f]{12}",
    test_id="[0-9a-f]{6}",
    media_id="[0-9a-f]{12}",
    cost_id="[0-9a-f]{12}",
    protocol="[a-z0-9-]+",
    sampling="[a-z]+",
    paper="[a-z0-9-]+",
    table="[a-z0-9-]+",


def marker_of(wildcards):
    """What says that a data set is complete: a rendered one's marker; nothing for a real one, which its index checks."""
    dataset = CATALOG.datasets.get(wildcards.dataset)
    return str(folder_of(wildcards.dataset, dataset, Path()) / "synthetic.json") if isinstance(dataset, SyntheticDataSet) else []


@cache
def _run_of_other_suite(run_id):
    return find_run(CATALOG, run_id)


def run_of(wildcards):
    """The run of a job: of this suite, or of another one that was asked for by name."""
    return RUNS.get(wildcards.run_id) or _run_of_other_suite(wildcards.run_id)


def index_of_run(wildcards):
    """The index of the data that a run is declared on."""
    return index_files(run_of(wildcards))


def index_of_media(wildcards):
    """The index of the data whose test clips are encoded."""
    return index_files(MEDIA.get(wildcards.media_id) or find_media(CATALOG, wildcards.media_id))


def index_files(planned):
    """The files of the index of the data set that a run, or media, is declared on."""
    return [str(index_of(planned.dataset, planned.data, Path()) / f"{name}.parquet") for name in ("tracklets", "splits")]


def media_of_run(wildcards):
    """The motion that a run reads at test time; nothing for a method that needs none."""
    plan = plan_media(run_of(wildcards))
    return [] if plan is None else [f"results/{plan.folder}/media.json"]


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
    run = run_of(wildcards)
    return f"results/{run.folder}/embeddings/{run.settings.embed.sampling}.npz"


def is_small(wildcards):
    """Tell whether a run's clips are as small as those of the tiny and demo suites (4 frames of 64x32)."""
    clips = run_of(wildcards).settings.clips
    return clips.frames * clips.height * clips.width <= 8192


def threads_of(wildcards):
    """One for a small run: two such jobs then share a small machine."""
    return 1 if is_small(wildcards) else 4


def group_of(wildcards):
    """A small run is one job of the cluster, from training to metrics: starting three would take longer than their work."""
    return "run" if is_small(wildcards) else None


def needs(*, small, large):
    """A resource of a small and of a large run; more with each attempt."""
    return lambda wildcards, attempt: attempt * (small if is_small(wildcards) else large)


def site_of(large):
    """What a step behind the training asks of the cluster: with a small run the same, for they are one job; else `large`."""

    def choose(name):
        return lambda wildcards: (SITE.training() if is_small(wildcards) else large).get(name)

    return {name: choose(name) for name in SITE.training()}
