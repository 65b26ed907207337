"""`reproid status`, `reproid verify`, `reproid prune` and the series for `dvc plots`."""

import csv
import io
import json
import os
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner, Result

from report.made import Made
from reproid.catalog.plan import plan_suite
from reproid.cli import cli
from reproid.errors import InputError
from reproid.locks import exclusive
from reproid.report.plots import cmc_csv, history_csv
from reproid.report.progress import suite_progress
from reproid.report.prune import find_leftovers, remove


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, catch_exceptions=False)


def test_suite_progress_every_state(made: Made) -> None:
    (entry,) = made.entries("demo", "map")
    state = lambda: {e.run.run_id: e.state for e in suite_progress(made.catalog(), made.read())}[entry.run.run_id]  # noqa: E731
    assert state() == "missing"
    made.write(f"{entry.run.folder}/status.json", {"state": "interrupted", "reason": "SIGTERM"})
    assert state() == "interrupted"
    made.fail(entry.run, "the loss is not finite")
    assert state() == "failed"
    made.finish(entry.run)
    assert state() == "not scored"
    made.score(entry)
    assert state() == "done"
    made.write(entry.path, "{")
    assert state() == "not scored"


def test_status_check_fails_unless_every_unfinished_run_has_a_reason(made: Made) -> None:
    assert run("status", "--check").exit_code == 1
    made.fill()
    assert run("status", "--check").exit_code == 0
    (entry,) = made.entries("demo", "map")
    (made.results / entry.path).unlink()
    assert run("status", "--check").exit_code == 1
    made.fail(entry.run, "the loss is not finite")
    done = run("status", "--check")
    assert done.exit_code == 0
    assert f"{entry.run.run_id}  demo-mars  official  seed 0  failed: the loss is not finite" in done.output
    assert done.output.endswith(f"suite demo: {len(made.runs()) - 1} done, 1 failed\n")


def test_status_running_run_names_its_job_and_a_killed_one_too(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    (entry,) = made.entries("demo", "map")
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    lock = made.results / "state" / f".{entry.run.run_id}.lock"
    made.score(entry)  # trained again: what is there is of before
    with exclusive(lock, "another"):
        assert f"{entry.run.run_id}  demo-mars  official  seed 0  running (SLURM job 4711, on " in run("status").output
        assert "1 running" in run("status").output
    code = (
        "import os, signal, sys; from pathlib import Path; from reproid.locks import exclusive\n"
        "with exclusive(Path(sys.argv[1]), ''): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(lock)], check=False)
    assert lock.exists()
    assert f"{entry.run.run_id}  demo-mars  official  seed 0  done\n" in run("status").output
    (made.results / entry.path).unlink()
    (made.results / entry.run.folder / "status.json").unlink()
    assert f"{entry.run.run_id}  demo-mars  official  seed 0  interrupted (SLURM job 4711, on " in run("status").output


def test_status_job_is_that_of_the_outcome_or_else_of_the_manifest(made: Made) -> None:
    made.fill()
    (entry,) = made.entries("demo", "map")
    line = f"{entry.run.run_id}  demo-mars  official  seed 0  done"
    assert f"{line}\n" in run("status").output
    made.write(f"{entry.run.folder}/manifest.json", {"slurm_job_id": "12"})
    assert f"{line} (SLURM job 12)\n" in run("status").output
    made.write(f"{entry.run.folder}/status.json", {"state": "done", "slurm_job_id": "13"})
    assert f"{line} (SLURM job 13)\n" in run("status").output


def test_status_json_holds_what_the_lines_say(made: Made) -> None:
    made.fill()
    (entry,) = made.entries("demo", "map")
    (made.results / entry.path).unlink()
    made.write(f"{entry.run.folder}/status.json", {"state": "failed", "reason": "no memory", "slurm_job_id": "4711"})
    made.write(f"logs/train/{entry.run.dataset}/{entry.run.run_id}.log", "")
    said = json.loads(run("status", "--json").output)
    assert (said["suite"], said["counts"]["failed"], said["counts"]["done"]) == ("demo", 1, len(made.runs()) - 1)
    assert [found["run_id"] for found in said["runs"]] == made.runs()
    (mine,) = [found for found in said["runs"] if found["run_id"] == entry.run.run_id]
    assert mine == {
        "run_id": entry.run.run_id,
        "dataset": "demo-mars",
        "split": "official",
        "seed": 0,
        "method": "resnet50",
        "state": "failed",
        "reason": "no memory",
        "slurm_job_id": "4711",
        "host": None,
        "log": f"logs/train/demo-mars/{entry.run.run_id}.log",
    }


def test_verify_files_of_their_run_pass(made: Made) -> None:
    made.fill()
    assert run("verify").output == f"suite demo: {len(made.runs())} runs verified, 0 without metrics\n"


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda made, e: made.score(e, made_with={"run_id": "0" * 12}), "made from run 000000000000, not {run_id}"),
        (lambda made, e: made.score(e, made_with={}), "made from run unknown, not {run_id}"),
        (lambda made, e: made.score(e, protocol={"name": "mars-standard", "revision": 99}), "mars-standard revision 99, not"),
        (lambda made, e: made.write(e.path, "{"), "not a JSON file"),
        (lambda made, e: (made.results / e.run.folder / "run.json").unlink(), "run.json: missing"),
        (
            lambda made, e: made.write(f"{e.run.folder}/run.json", e.run.model_copy(update={"seed": 7}).model_dump_json()),
            "its settings give run id",
        ),
    ],
    ids=["other-run", "no-run", "other-revision", "damaged", "no-settings", "other-settings"],
)
def test_verify_file_of_something_else_is_named(made: Made, damage, match: str) -> None:
    made.fill()
    (entry,) = made.entries("demo", "map")
    damage(made, entry)
    with pytest.raises(InputError, match="1 result files are not what their folder says"):
        run("verify")
    result = CliRunner().invoke(cli, ["verify"])
    assert match.format(run_id=entry.run.run_id) in result.output


def test_prune_lists_leftovers_and_removes_them_only_when_told(made: Made) -> None:
    made.fill()
    made.fill("tiny")
    assert run("prune").output == "nothing is left over\n"
    old = made.write("runs/demo-mars/000000000000/run.json", "{}")
    kept = sorted(path for path in made.results.rglob("*") if path != old and path.is_file())
    assert "results/runs/demo-mars/000000000000  1 files" in run("prune").output
    assert old.exists()
    assert run("prune", "--yes").output.endswith("removed 1 folders and files, 0.0 MB\n")
    assert not old.parent.exists()
    assert sorted(path for path in made.results.rglob("*") if path.is_file()) == kept


def test_prune_removes_costs_that_no_suite_plans(made: Made) -> None:
    planned = made.write(plan_suite(made.catalog("demo"))[0].costs()[0].path, "{}")
    old = made.write("cost/000000000000.json", "{}")
    run("prune", "--yes")
    assert (planned.exists(), old.exists()) == (True, False)


def test_prune_lists_files_that_a_killed_process_never_finished(made: Made) -> None:
    made.fill()
    folder = made.results / made.entries("demo", "map")[0].run.folder
    old, new = folder / ".model.safetensors.x1.partial.safetensors", folder / ".run.json.x2.partial.json"
    for path in (old, new):
        path.write_text("half")
    os.utime(old, (time.time() - 90000,) * 2)
    (found,) = find_leftovers(made.root)
    assert (found.folder, found.files, found.size) == (old, 1, 4)
    remove((found,))
    assert new.exists()
    assert not old.exists()


def test_plots_series_hold_what_the_files_hold(made: Made) -> None:
    made.fill()
    catalog, files = made.catalog(), made.read()
    cmc = list(csv.DictReader(io.StringIO(cmc_csv(catalog, files))))
    (entry,) = made.entries("demo", "map")
    mine = [float(row["cmc"]) for row in cmc if row["run"] == entry.run.run_id]
    assert mine == json.loads((made.results / entry.path).read_text())["cmc"]
    history = [row for row in csv.DictReader(io.StringIO(history_csv(catalog, files))) if row["run"] == entry.run.run_id]
    assert [(int(row["epoch"]), float(row["loss"])) for row in history] == [(1, 4.25), (2, 3.5), (3, 3.1)]


def test_plots_series_of_nothing_have_their_head(made: Made) -> None:
    assert cmc_csv(made.catalog(), made.read()) == "run,protocol,rank,cmc\n"
    assert history_csv(made.catalog(), made.read()) == "run,epoch,loss\n"
