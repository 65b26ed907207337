"""`snakemake --profile slurm all` on the tiny suite, on a real SLURM, in modules and a container that are made up."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from reproid.retrieval.ranks import usable_cores
from support.cluster import DEVICES, Cluster
from support.on_cluster import OnCluster
from support.project import copy_project

DATA_SETS, RUNS, COSTS = 5, 10, 1
LOCAL = {"data synth", "table", "summary", "report"}
"""Steps on the machine that Snakemake runs on: rules of seconds, and what may need the network."""
ON_GPU, ON_CPU = {"train", "embed", "evaluate", "cost"}, {"data index"}
SITE = "gpu_partition: gpu\nmodules: [cuda/12.6]\ncontainer: reproid.sif\ncontainer_options: --nv --bind /scratch\n"
MODULE = '#!/bin/sh\necho "module $@" >> modules.log\n'
APPTAINER = """\
#!/bin/sh
[ "$1 $2 $3 $4 $5" = "exec --nv --bind /scratch reproid.sif" ] || exit 99
shift 5
case $2 in data) step="$2 $3" ;; *) step=$2 ;; esac
echo "$step,$SLURM_JOB_ID,$CUDA_VISIBLE_DEVICES,$SLURM_CPUS_PER_TASK" >> steps.log
exec "$@"
"""


@pytest.fixture(scope="module")
def finished(cluster: Cluster, started: object, tmp_path_factory: pytest.TempPathFactory) -> OnCluster:
    """The tiny suite, finished by the command that a user gives, on a cluster with stand-ins of modules and Apptainer.

    The scenarios that mostly wait are under way beside it.
    """
    for name, text in (("module", MODULE), ("apptainer", APPTAINER)):
        program = cluster.folder / f"bin/{name}"
        program.write_text(text)
        program.chmod(0o755)
    project = copy_project(tmp_path_factory.mktemp("suite") / "tiny", "tiny")
    (project.folder / "slurm/site.yaml").write_text(SITE)
    checkout = OnCluster(project, cluster)
    seconds = ("--slurm-init-seconds-before-status-checks", "3")  # the one thing that is not the profile's: it has 20
    done = project.run("snakemake", "--profile", "slurm", *seconds, "all", **cluster.env)
    assert done.returncode == 0, f"{done.stderr}\n{checkout.said()}"
    return checkout


@pytest.fixture(scope="module")
def steps(finished: OnCluster) -> list[list[str]]:
    """Per step: what, SLURM job, GPUs, CPUs."""
    return [line.split(",") for line in (finished.folder / "steps.log").read_text().splitlines()]


def test_tiny_every_step_runs_in_a_job_but_those_of_the_login_node(steps: list[list[str]]) -> None:
    assert {step for step, job, _, _ in steps if not job} == LOCAL
    assert {step for step, job, _, _ in steps if job} == ON_GPU | ON_CPU
    counts = Counter(step for step, job, _, _ in steps if job)
    assert counts == {"train": RUNS, "embed": RUNS, "evaluate": RUNS, "cost": COSTS, "data index": DATA_SETS}


def test_tiny_small_runs_need_one_submission_each(finished: OnCluster, steps: list[list[str]]) -> None:
    jobs = finished.jobs()
    assert len(jobs) == DATA_SETS + RUNS + COSTS == 16, "one per index, run and measurement; of single steps it would be 36"
    assert {job for _, job, _, _ in steps if job} == {job["JobId"] for job in jobs}
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}


def test_tiny_gpu_request_reaches_the_jobs_that_make_it(finished: OnCluster, steps: list[list[str]]) -> None:
    given = {step: {gpus for name, job, gpus, _ in steps if job and name == step} for step in ON_GPU | ON_CPU}
    for step in ON_GPU:
        assert given[step] <= {str(number) for number in range(len(DEVICES))}, step
    for step in ON_CPU:
        assert given[step] == {""}
    asked = {re.sub("_.*", "", job["Comment"].removeprefix("rule_")): job for job in finished.jobs()}
    assert {rule: job.get("TresPerNode") for rule, job in asked.items()} == {
        "index": None,
        "run": "gres:gpu:1",
        "cost": "gres:gpu:1",
    }
    assert {rule: job["Partition"] for rule, job in asked.items()} == {"index": "main", "run": "gpu", "cost": "gpu"}


def test_tiny_threads_are_cpus_per_task(finished: OnCluster, steps: list[list[str]]) -> None:
    cpus = {step: {count for name, job, _, count in steps if job and name == step} for step in ON_GPU | ON_CPU}
    most = str(min(4, usable_cores()))  # Snakemake gives no step more than the machine has, whatever SLURM believes of it
    assert cpus == {"cost": {most}, "train": {"1"}, "embed": {"1"}, "evaluate": {"1"}, "data index": {"1"}}
    asked = {(re.sub("_.*", "", job["Comment"].removeprefix("rule_")), job["CPUs/Task"]) for job in finished.jobs()}
    assert asked == {("cost", "4"), ("run", "1"), ("index", "1")}


def test_tiny_modules_are_loaded_before_every_step(finished: OnCluster, steps: list[list[str]]) -> None:
    loaded = (finished.folder / "modules.log").read_text().splitlines()
    assert loaded == ["module load cuda/12.6"] * len(steps)


def test_tiny_report_has_every_run(finished: OnCluster) -> None:
    summary = json.loads((finished.folder / "results/summary/metrics.json").read_text())
    assert len(summary["runs"]) == RUNS
    assert (finished.folder / "reports/index.html").is_file()
    assert not list(Path(finished.folder).glob("results/**/failed"))
