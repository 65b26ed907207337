"""`snakemake --profile slurm all` resolves every rule's resources: a dry run, without a cluster."""

import re
from collections.abc import Callable

import pytest

from support.project import Project

SITE = "account: my-group\npartition: standard\ngpu_partition: gpu\ngpu_type: a100\nscratch: /scratch\n"
GPU = {"train", "embed", "cost"}
LOCAL = {"render", "table", "summary", "report"}


def planned(project: Project) -> dict[str, dict[str, str]]:
    """Return the resources of the first planned job of each rule."""
    done = project.run("snakemake", "--profile", "slurm", "all", "--dry-run")
    assert done.returncode == 0, done.stderr
    jobs = re.findall(r"^(?:local)?rule (\w+):\n((?:    .*\n)+)", done.stdout, flags=re.MULTILINE)
    found: dict[str, dict[str, str]] = {}
    for rule, body in jobs:
        resources = re.search(r"^    resources: (.*)$", body, flags=re.MULTILINE)
        pairs = re.findall(r"(\w+)=([^,]+)", resources.group(1) if resources else "")
        found.setdefault(rule, dict(pairs))
    return found


@pytest.fixture
def project(new_project: Callable[[str], Project]) -> Project:
    """An untouched copy, without the messages that a dry run would show in place of a job's resources."""
    project = new_project("tiny")
    for rules in sorted((project.folder / "workflow/rules").glob("*.smk")):
        rules.write_text(re.sub(r"^    message:\n(        .*\n)+", "", rules.read_text(), flags=re.MULTILINE))
    return project


def test_slurm_every_rule_has_memory_and_minutes_and_gpu_rules_a_gpu(project: Project) -> None:
    jobs = planned(project)
    assert GPU | LOCAL | {"index", "evaluate"} <= jobs.keys()
    for rule, resources in jobs.items():
        assert int(resources["mem_mb"]) >= 300, f"{rule}: each job starts Snakemake twice"
        assert int(resources["runtime"]) >= 30, rule
        assert resources.get("gres") == ("gpu:1" if rule in GPU else None), rule
        assert not {"slurm_account", "slurm_partition"} & resources.keys(), rule


def test_slurm_site_file_names_account_partitions_and_gpu_type(project: Project) -> None:
    (project.folder / "slurm/site.yaml").write_text(SITE)
    jobs = planned(project)
    for rule in jobs.keys() - LOCAL - {"all"}:
        resources = jobs[rule]
        assert resources["slurm_account"] == "my-group", rule
        assert resources["slurm_partition"] == ("gpu" if rule in GPU else "standard"), rule
        assert resources["tmpdir"] == "/scratch", rule
        assert resources.get("gres") == ("gpu:a100:1" if rule in GPU else None), rule


def test_slurm_site_file_with_a_mistake_is_one_line_and_code_2(project: Project) -> None:
    (project.folder / "slurm/site.yaml").write_text("acount: my-group\n")
    done = project.run("snakemake", "--profile", "slurm", "all", "--dry-run")
    assert done.returncode == 2
    assert re.search(r"reproid: error: .*site\.yaml, key 'acount': unknown key; .*Did you mean 'account'\?", done.stderr)
    assert "Traceback" not in done.stderr


def test_slurm_example_of_the_site_file_is_valid(project: Project) -> None:
    example = project.folder / "slurm/site.example.yaml"
    (project.folder / "slurm/site.yaml").write_text(example.read_text())
    assert planned(project)["train"]["gres"] == "gpu:a100:1"


def test_slurm_site_file_is_ignored_by_git(project: Project) -> None:
    assert "/slurm/site.yaml" in (project.folder / ".gitignore").read_text().splitlines()
