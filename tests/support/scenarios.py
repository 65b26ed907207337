"""What happens to jobs on a cluster, one function each: they mostly wait, so all go on at once. Tests look at what is left.

Each plays on a checkout of its own and says by assertion how far it came; the tests say what must be there in the end.
"""

import re
import subprocess
from collections.abc import Callable

from reproid.catalog.catalog import load_catalog
from reproid.catalog.plan import plan_cost
from support.kills import processes
from support.on_cluster import OnCluster, Undisturbed, until
from support.project import ROOT

POISON = "    method: resnet50\n    overrides: {train: {optimizer: {lr: 1.0e+30}}}\n"
"""A learning rate that ends in a loss that is not finite."""


HUNGRY = "    hog = b'x' * (1200 << 20)\n    __import__('time').sleep(4)\n"
"""Lines that hold 1.2 GB for long enough to be noticed: SLURM looks once a second."""
SLEEPY = """\
    import os, subprocess, time
    limit = subprocess.check_output(["squeue", "-h", "-o", "%l", "-j", os.environ["SLURM_JOB_ID"]], text=True)
    time.sleep(600 if limit.strip() == "1:00" else 0)
"""
"""Lines that take longer than a job of one minute, however busy the machine is, and nothing in a longer one."""
SMALLER = {"-per-node=4": "-per-node=1", "--mem=32G": "--mem=4000", "--ranks 8": "--ranks 2", "-per-task=4": "-per-task=1"}
"""What is smaller in the tests' cluster than in a script of docs/distributed.md."""


def short_of_memory_and_time(checkout: OnCluster, undisturbed: Undisturbed) -> OnCluster:
    """The index needs more memory than it asks for at first, a measurement more time; both ask for twice as much next time."""
    project = checkout.project
    (checkout.folder / "results/index").rename(checkout.folder / "results/index-of-before")
    project.edit("workflow/rules/data.smk", "4000 * attempt", "1000 * attempt")
    project.edit(
        "src/reproid/cli/data.py", "    expected: dict[str, int] = {}\n", f"{HUNGRY}    expected: dict[str, int] = {{}}\n"
    )
    project.edit("workflow/rules/cost.smk", "60 * attempt", "1 * attempt")
    project.edit("src/reproid/cli/cost.py", "    wait_quietly()\n", f"    wait_quietly()\n{SLEEPY}")
    _finish(checkout, "--", index_target(checkout), cost_target(checkout))
    return checkout


def index_target(checkout: OnCluster) -> str:
    (before,) = checkout.folder.glob("results/index-of-before/*/*/tracklets.parquet")
    return f"results/index/{before.relative_to(checkout.folder / 'results/index-of-before')}"


def cost_target(checkout: OnCluster) -> str:
    return f"results/{plan_cost(load_catalog(checkout.folder, suite='tiny'), 'psformer/resnet50').path}"


def longer_than_its_job(checkout: OnCluster, undisturbed: Undisturbed) -> OnCluster:
    """A training of 120 s in jobs that are warned after 60 to 90 s: SLURM looks at the clock twice a minute."""
    for name in ("train", "evaluate"):
        rules = checkout.folder / f"workflow/rules/{name}.smk"
        rules.write_text(rules.read_text().replace("small=30", "small=1").replace("30 * attempt", "1 * attempt"))
    (checkout.folder / "slurm/site.yaml").write_text("warning_s: 90\n")  # the limit of the job of three steps is 180 s
    checkout.slow(6.0)
    _finish(checkout, "--", undisturbed.path(undisturbed.trained))
    return checkout


def preempted_then_cancelled(checkout: OnCluster, undisturbed: Undisturbed) -> OnCluster:
    """A more urgent job takes the training's place, SLURM starts it again; then its user cancels it, and repeats the command."""
    cluster, run_id, target = checkout.cluster, undisturbed.trained, undisturbed.path(undisturbed.trained)
    (checkout.folder / "slurm/site.yaml").write_text("gpu_partition: spare\n")
    checkout.slow(0.5)
    command = checkout.start("--retries", "0", "--", target)
    until(lambda: checkout.epochs_done(run_id) >= 1, "the first epoch", checkout.said)
    (job,) = checkout.jobs("R")
    cluster.say("sbatch", "-p", "urgent", "-c", "4", "--mem=100", "-o", "/dev/null", "--wrap", "true")
    until(lambda: checkout.jobs()[0]["Restarts"] == "1" and bool(checkout.jobs("R")), "the second start", checkout.said)
    until(lambda: checkout.epochs_done(run_id) >= 2, "another epoch", checkout.said)
    cluster.say("scancel", job["JobId"])
    assert command.wait(600) == 1, "a cancelled job is a failed one"
    assert not (checkout.folder / target).exists()
    _finish(checkout, "--", target)
    return checkout


def killed(checkout: OnCluster, undisturbed: Undisturbed) -> OnCluster:
    """Snakemake, and everything that its job has started, get kill -9; then what docs/cluster.md says."""
    target = undisturbed.path(undisturbed.trained)
    checkout.slow(0.5)
    command = checkout.start("--", target)
    until(lambda: checkout.epochs_done(undisturbed.trained) >= 1, "the first epoch", checkout.said)
    command.kill()
    command.wait()
    for process in processes(checkout.project):
        process.kill()
    until(lambda: not checkout.jobs("PD,R,CG"), "the end of the killed job", checkout.said)
    locked = checkout.run("--", target)
    assert locked.returncode != 0
    assert "LockException" in locked.stderr
    assert checkout.run("--unlock").returncode == 0
    _finish(checkout, "--", target)
    return checkout


def on_two_gpus(checkout: OnCluster, undisturbed: Undisturbed) -> OnCluster:
    """A training on two GPUs of a node, by the site file; in the middle of it SLURM warns of the end of its job."""
    (checkout.folder / "slurm/site.yaml").write_text("gpu_partition: gpu\ngpus_per_run: 2\n")
    checkout.slow(2.0)
    checkout.tell_places()
    command = checkout.start("--", undisturbed.path(undisturbed.trained))
    warn(checkout, undisturbed)
    assert command.wait(900) == 0, checkout.said()
    return checkout


def on_two_nodes(checkout: OnCluster, undisturbed: Undisturbed) -> OnCluster:
    """The script of docs/distributed.md, on two nodes with a rank each."""
    script = re.search(r"```\n(#!/bin/sh\n.*?)```", (ROOT / "docs/distributed.md").read_text(), flags=re.DOTALL)
    assert script is not None
    text = script.group(1)
    for old, new in (SMALLER | {"0123456789ab": undisturbed.trained}).items():
        assert old in text
        text = text.replace(old, new)
    (checkout.folder / "train.sh").write_text(text)
    checkout.slow(2.0)
    checkout.tell_places()
    here = {"MASTER_ADDR": "127.0.0.1", **checkout.cluster.env}  # no name server knows the made-up nodes
    done = checkout.project.run("sbatch", "-p", "both", "-o", "results/train.log", "train.sh", **here)
    assert done.returncode == 0, done.stderr
    warn(checkout, undisturbed)
    until(lambda: not checkout.jobs("PD,R,CG"), "the end of the training", checkout.said)
    return checkout


def warn(checkout: OnCluster, undisturbed: Undisturbed) -> None:
    """Send a training what SLURM sends before a time limit, and wait until it goes on.

    The training must be slow enough that `reproid status`, asked in between, answers before it ends, however busy the machine is.
    """
    until(lambda: checkout.epochs_done(undisturbed.trained) >= 1, "the first epoch", checkout.said)
    (job,) = checkout.jobs("R")
    (checkout.folder / "status.json").write_text(checkout.project.run("reproid", "status", "--json").stdout)
    assert checkout.jobs("R"), f"the training ended before it could be warned:\n{checkout.said()}"
    checkout.cluster.say("scancel", "--signal=USR1", job["JobId"])
    until(lambda: checkout.jobs()[-1]["Restarts"] == "1" and bool(checkout.jobs("R")), "the second start", checkout.said)


def one_fails(checkout: OnCluster, undisturbed: Undisturbed) -> OnCluster:
    """One of the two runs cannot be trained."""
    checkout.project.edit("papers/psformer/experiments.yaml", "    method: resnet50\n", POISON)
    done = checkout.start("all").wait(600)
    assert done == 1, checkout.said()
    return checkout


ALL: dict[str, Callable[[OnCluster, Undisturbed], OnCluster]] = {
    play.__name__: play
    for play in (
        longer_than_its_job,
        short_of_memory_and_time,
        preempted_then_cancelled,
        killed,
        one_fails,
        on_two_gpus,
        on_two_nodes,
    )
}


def _finish(checkout: OnCluster, *arguments: str) -> None:
    try:
        code = checkout.start(*arguments).wait(900)
    except subprocess.TimeoutExpired:
        code = None
    assert code == 0, f"exit code {code}:\n{checkout.said()}"
