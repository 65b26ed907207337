"""`snakemake --profile slurm all` resolves every rule's resources: a dry run, without a cluster."""

import importlib.util
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.project import ROOT, Project

SITE = "account: my-group\npartition: standard\ngpu_partition: gpu\ngpu_type: a100\nscratch: /scratch\nqos: low\n"
GPU = {"train", "embed", "cost"}
LOCAL = {"render", "table", "summary", "report"}
GROUPED = {"train", "embed", "evaluate"}


@dataclass(frozen=True)
class Job:
    """What the plan says of one job."""

    grouped: bool
    cpus: int
    resources: dict[str, str]


def planned(project: Project, *arguments: str) -> dict[str, Job]:
    """Return the first planned job of each rule."""
    done = project.run("snakemake", "--profile", "slurm", "all", "--dry-run", *arguments)
    assert done.returncode == 0, done.stderr
    jobs = re.findall(r"^( *)(?:local)?rule (\w+):\n((?:\1    .*\n)+)", done.stdout, flags=re.MULTILINE)
    found: dict[str, Job] = {}
    for indent, rule, body in jobs:
        resources = re.search(r"^ *resources: (.*)$", body, flags=re.MULTILINE)
        threads = re.search(r"^ *threads: (\d+)$", body, flags=re.MULTILINE)
        pairs = dict(re.findall(r"(\w+)=([^,]+)", resources.group(1) if resources else ""))
        found.setdefault(rule, Job(grouped=bool(indent), cpus=int(threads.group(1)) if threads else 1, resources=pairs))
    return found


@pytest.fixture
def project(new_project: Callable[[str], Project]) -> Project:
    """An untouched copy, without the messages that a dry run would show in place of a job's resources."""
    project = new_project("tiny")
    for rules in sorted((project.folder / "workflow/rules").glob("*.smk")):
        rules.write_text(re.sub(r"^    message:\n(        .*\n)+", "", rules.read_text(), flags=re.MULTILINE))
    return project


@pytest.fixture
def large(project: Project) -> Project:
    """The same with clips of the papers' size."""
    project.edit("suites/tiny.yaml", "clips: {frames: 2, height: 32, width: 16}", "clips: {frames: 4, height: 128, width: 64}")
    return project


def test_slurm_every_rule_has_memory_and_minutes_and_gpu_rules_a_gpu(large: Project) -> None:
    jobs = planned(large)
    assert GPU | LOCAL | {"index", "evaluate"} <= jobs.keys()
    for rule, job in jobs.items():
        assert int(job.resources["mem_mb"]) >= 300, f"{rule}: each job starts Snakemake twice"
        assert int(job.resources["runtime"]) >= 30, rule
        assert job.resources.get("gres") == ("gpu:1" if rule in GPU else None), rule
        assert not {"slurm_account", "slurm_partition"} & job.resources.keys(), rule


def test_slurm_large_runs_are_three_jobs_each_with_cpus_for_the_work(large: Project) -> None:
    jobs = planned(large, "--cores", "8")  # a dry run gives no job more than the cores that it is told of
    assert {rule: job.cpus for rule, job in jobs.items() if job.cpus > 1} == {"train": 4, "embed": 4, "cost": 4, "render": 2}
    assert not [rule for rule, job in jobs.items() if job.grouped]


def test_slurm_small_runs_are_one_job_each_on_one_gpu_and_one_cpu(project: Project) -> None:
    jobs = planned(project)
    assert {rule for rule, job in jobs.items() if job.grouped} == GROUPED
    for rule in GROUPED:
        assert jobs[rule].cpus == 1
        assert jobs[rule].resources["gres"] == "gpu:1", "what differs within a group could not be submitted"
        assert int(jobs[rule].resources["mem_mb"]) <= 3000
        assert int(jobs[rule].resources["runtime"]) == 30


@pytest.mark.parametrize(("size", "warned"), [("project", GROUPED), ("large", {"train"})])
def test_slurm_jobs_that_train_ask_for_a_warning_before_their_limit(
    size: str, warned: set[str], request: pytest.FixtureRequest
) -> None:
    for rule, job in planned(request.getfixturevalue(size)).items():
        assert job.resources.get("slurm_extra") == ("--signal=USR1@120" if rule in warned else None), rule


@pytest.mark.parametrize("size", ["project", "large"])
def test_slurm_site_file_names_account_partitions_and_gpu_type(size: str, request: pytest.FixtureRequest) -> None:
    project: Project = request.getfixturevalue(size)
    (project.folder / "slurm/site.yaml").write_text(SITE)
    jobs = planned(project)
    with_gpu = GPU | {"evaluate"} if size == "project" else GPU
    for rule in jobs.keys() - LOCAL - {"all"}:
        resources = jobs[rule].resources
        assert resources["slurm_account"] == "my-group", rule
        assert resources["slurm_partition"] == ("gpu" if rule in with_gpu else "standard"), rule
        assert resources["tmpdir"] == "/scratch", rule
        assert resources["qos"] == "low", rule
        assert resources.get("gres") == ("gpu:a100:1" if rule in with_gpu else None), rule


@pytest.mark.parametrize("gpus", [1, 3])
def test_slurm_training_on_several_gpus_asks_for_cpus_and_memory_for_each(large: Project, gpus: int) -> None:
    (large.folder / "slurm/site.yaml").write_text(f"gpus_per_run: {gpus}\n")
    jobs = planned(large, "--cores", "16")
    train, embed = jobs["train"], jobs["embed"]
    assert (train.cpus, train.resources["mem_mb"], train.resources["gres"]) == (4 * gpus, f"{8000 * gpus}", f"gpu:{gpus}")
    assert train.resources["ranks"] == str(gpus)
    assert (embed.cpus, embed.resources["mem_mb"], embed.resources["gres"]) == (4, "8000", "gpu:1")


def test_slurm_site_file_with_a_mistake_is_one_line_and_code_2(project: Project) -> None:
    (project.folder / "slurm/site.yaml").write_text("acount: my-group\n")
    done = project.run("snakemake", "--profile", "slurm", "all", "--dry-run")
    assert done.returncode == 2
    assert re.search(r"reproid: error: .*site\.yaml, key 'acount': unknown key; .*Did you mean 'account'\?", done.stderr)
    assert "Traceback" not in done.stderr


def test_slurm_example_of_the_site_file_is_valid(project: Project) -> None:
    example = project.folder / "slurm/site.example.yaml"
    (project.folder / "slurm/site.yaml").write_text(example.read_text())
    assert planned(project)["train"].resources["gres"] == "gpu:a100:1"


def test_slurm_site_file_is_ignored_by_git(project: Project) -> None:
    assert "/slurm/site.yaml" in (project.folder / ".gitignore").read_text().splitlines()


def test_slurm_every_rule_is_one_command_that_may_replace_its_shell() -> None:
    """It then gets the scheduler's signals itself, and stands behind modules and a container (Site.launcher)."""
    text = "".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
    blocks = re.findall(r"^    shell:\n((?:        .*\n)+)", text, flags=re.MULTILINE)
    assert len(blocks) == text.count("    shell:\n") > 5
    for block in blocks:
        command = "".join(re.findall(r'"(.*)"', block))
        assert re.fullmatch(r"reproid [^;&|]* (> \{log\} 2>&1|2>&1 \| tee \{log\})", command), command


@pytest.mark.parametrize("suite", ["tiny", "demo"])
def test_slurm_submissions_of_a_small_suite_are_those_that_the_benchmark_gives(
    suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/cluster.md shows them; a suite that grows changes them."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    spec = importlib.util.spec_from_file_location("benchmark_of_slurm", ROOT / "benchmarks" / "slurm.py")
    assert spec is not None
    assert spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    measured = json.loads((ROOT / "benchmarks" / "slurm.json").read_text())["suites"][suite]
    assert benchmark.count(tmp_path / "copy", suite) == measured
    assert measured["submissions"] < measured["steps"] / 2
