"""docs/cluster.md on a real SLURM: its commands run, and the failures that it lists look as it says."""

import copy
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from support.cluster import Cluster
from support.on_cluster import OnCluster, Undisturbed
from support.project import ROOT

PAGE = (ROOT / "docs/cluster.md").read_text()
BLOCK = re.search(r"```\n(.*?)```", PAGE, flags=re.DOTALL)
FAILURES = PAGE.partition("## The five failures")[2].partition("\n##")[0]


@pytest.fixture
def checkout(cluster: Cluster, undisturbed: Undisturbed, tmp_path: Path) -> OnCluster:
    return undisturbed.checkout(tmp_path / "checkout", cluster)


def command(start: str, **words: str) -> str:
    """Return the page's command that starts so, with words in capitals replaced."""
    (found,) = {text for text in re.findall(r"`([^`]+)`", FAILURES) if text.startswith(start)}
    for old, new in words.items():
        assert old in found
        found = found.replace(old, new)
    return found


def say(checkout: OnCluster, text: str) -> subprocess.CompletedProcess[str]:
    return checkout.project.run(*shlex.split(text), **checkout.cluster.env)


def test_page_commands_up_to_the_report_run_as_they_stand(checkout: OnCluster) -> None:
    """The third, without its terminal and for every rule, is tests/slurm/test_all.py."""
    assert BLOCK is not None
    make, *others = [line.partition("#")[0].strip() for line in BLOCK.group(1).splitlines()]
    copied, dry, everything, status = others
    assert (make, everything) == ("make environment CUDA=1", "tmux new snakemake --profile slurm all")
    for text in (copied, dry, status):
        done = say(checkout, text)
        assert done.returncode == 0, f"{text}: {done.stderr}"
        if text == dry:
            assert re.search(r"resources: .*slurm_account=my-group.*gres=gpu:a100:1", done.stdout)
    assert done.stdout.endswith("suite small: 0 done, 2 missing\n")


@pytest.mark.parametrize(
    "site", ["{partition: nowhere, gpu_partition: nowhere}", "gpu_type: a100"], ids=["partition", "gpu-type"]
)
def test_page_failure_of_the_site_file_looks_as_it_says(checkout: OnCluster, undisturbed: Undisturbed, site: str) -> None:
    (checkout.folder / "slurm/site.yaml").write_text(site)
    assert checkout.start("--", undisturbed.path(undisturbed.trained)).wait(300) == 1
    assert "Error in group run" in (checkout.folder / "said.log").read_text()
    assert not "".join(path.read_text() for path in checkout.folder.glob("results/logs/train/**/*.log"))
    assert all(job["NodeList"] in ("", "(null)") for job in checkout.jobs()), "none of them has started"
    words = {"ACCOUNT": "any", "PARTITION": "nowhere" if "nowhere" in site else "gpu", "TYPE": "a100"}
    shown = say(checkout, command("sbatch", **words))
    assert shown.returncode == 1
    assert re.search("invalid partition|node configuration is not available", shown.stderr)
    assert "gpu gpu:4" in say(checkout, command("sinfo")).stdout


def test_page_failure_of_a_step_without_a_group_names_sbatch(checkout: OnCluster, undisturbed: Undisturbed) -> None:
    (checkout.folder / "slurm/site.yaml").write_text("partition: nowhere\n")
    (index,) = checkout.folder.glob("results/index/*/*/tracklets.parquet")
    index.unlink()
    assert checkout.start("--", str(index.relative_to(checkout.folder))).wait(300) == 1
    assert "SLURM sbatch failed" in (checkout.folder / "said.log").read_text()


def test_page_failure_before_a_step_starts_is_in_the_jobs_log(checkout: OnCluster, undisturbed: Undisturbed) -> None:
    """What stands before the command, here a module that is not there, fails on the node: as a clone or an environment would."""
    programs = checkout.folder / "programs"
    programs.mkdir()
    (programs / "module").write_text('#!/bin/sh\necho "no module $2" >&2\nexit 1\n')
    (programs / "module").chmod(0o755)
    cluster = copy.copy(checkout.cluster)
    cluster.env = {**cluster.env, "PATH": f"{programs}:{cluster.env['PATH']}"}
    (checkout.folder / "slurm/site.yaml").write_text("modules: [cuda/99]\n")
    target = undisturbed.path(undisturbed.trained)
    assert OnCluster(checkout.project, cluster).start("--retries", "0", "--", target).wait(300) == 1
    assert not "".join(path.read_text() for path in checkout.folder.glob("results/logs/train/**/*.log"))
    (log, *_) = sorted(checkout.folder.glob(".snakemake/slurm_logs/**/*.log"))
    assert log.stem in [job["JobId"] for job in checkout.jobs()]
    assert "no module cuda/99" in log.read_text()


def test_page_commands_on_waiting_jobs_say_why_and_let_them_go(checkout: OnCluster) -> None:
    job = say(checkout, "sbatch --parsable --hold -o /dev/null --wrap true").stdout.strip()
    assert f"{job} PENDING JobHeldUser" in say(checkout, command("squeue --me")).stdout
    assert say(checkout, command("scontrol release", JOB=job)).returncode == 0
    checkout.cluster.until(lambda: not [found for found in checkout.jobs("PD,R,CG") if found["JobId"] == job], "its end")
    option = command("--set-resources").replace("...", "1234")
    assert "mem_mb=1234" in say(checkout, f"snakemake --profile slurm --dry-run all {option}").stdout
    assert re.search(r"^MinJobAge += \d+ sec", say(checkout, command("scontrol show config")).stdout, flags=re.MULTILINE)
