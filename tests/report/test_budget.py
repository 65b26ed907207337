"""`reproid plan`: what a suite takes, from what was measured."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from report.made import Made
from reproid.catalog.plan import plan_suite, planned_runs
from reproid.catalog.runs import Run
from reproid.cli import cli
from reproid.report.budget import makespan, measured_devices, suite_budget
from reproid.report.load import held_out, training_persons, training_steps
from support.project import ROOT


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, catch_exceptions=False)


def runs_of(made: Made, suite: str = "demo", *, all_data: bool = False) -> dict[str, Run]:
    return planned_runs(plan_suite(made.catalog(suite), all_data=all_data))


def trained(made: Made, suite: str = "demo") -> Run:
    """Return a run of the suite that takes steps."""
    return next(run for run in runs_of(made, suite).values() if run.settings.train.epochs)


def measured(
    made: Made, run: Run, *, wall_s: float, device: str = "cuda", embed_s: float | None = None, **others: object
) -> None:
    """Write a finished run that says how long it took."""
    made.finish(run)
    hardware = {"cpu": "a processor", "gpu": "a GPU"}
    manifest = {"device": device, "wall_s": wall_s, "threads": 1, "hardware": hardware, **others}
    made.write(f"{run.folder}/manifest.json", manifest)
    if embed_s is not None:
        made.write(f"benchmarks/embed/{run.dataset}/{run.run_id}-dense.tsv", f"s\th:m:s\n{embed_s}\t0:00:01\n")


def costed(made: Made, run: Run, *, ms: float | None, device: str = "cuda", **others: object) -> None:
    """Write the measured cost of a run's network at the run's own clip size."""
    clips = run.settings.clips
    plan = {"method": run.settings.method, "revision": run.revision, "options": run.settings.options}
    plan |= {"frames": clips.frames, "height": clips.height, "width": clips.width}
    timings = [] if ms is None else [{"batch": 1, "ms_per_video": 5 * ms}, {"batch": 8, "ms_per_video": ms}]
    content = {
        "plan": plan,
        "timings": timings,
        "device": device,
        "parameters": 1_000_000,
        "hardware": {"gpu": "a GPU", "cpu": "a processor"},
    }
    made.write(f"cost/{run.run_id}.json", content | {"threads": 1} | others)


def estimate(made: Made, wanted: Run, suite: str = "demo", **options: Any) -> Any:
    budget = suite_budget(made.catalog(suite), made.read(), **{"device": "cuda", **options})
    return next(entry for entry in budget.estimates if entry.run.run_id == wanted.run_id)


@pytest.mark.parametrize(
    ("durations", "devices", "expected"),
    [((), 8, 0), ((3, 1, 2), 1, 6), ((3, 1, 2), 2, 3), ((3, 1, 2), 8, 3), ((2, 2, 2), 2, 4)],
)
def test_makespan_by_hand(durations: tuple[float, ...], devices: int, expected: float) -> None:
    assert makespan(durations, devices) == expected


def test_training_persons_of_every_real_data_set_are_the_published_ones(made: Made) -> None:
    found = {name: training_persons(dataset) for name, dataset in made.catalog().datasets.items() if dataset.source == "real"}
    known = {"mars": 625, "ls-vid": 842, "dukemtmc-videoreid": 702, "ilids-vid": 150, "prid-2011": 89}
    assert {name: found[name] for name in known} == known


def test_training_steps_visit_every_person_once_per_epoch(made: Made) -> None:
    run = trained(made)  # 48 persons, 8 per batch, 50 epochs
    assert training_steps(run) == 50 * 6
    train = run.settings.train
    seven = run.model_copy(
        update={"settings": run.settings.model_copy(update={"train": train.model_copy(update={"steps_per_epoch": 7})})}
    )
    assert training_steps(seven) == 50 * 7


def test_held_out_is_the_index_or_else_the_declared_counts(made: Made) -> None:
    mars = next(
        run
        for run in runs_of(made, "paper", all_data=True).values()
        if run.dataset == "mars" and run.settings.embed.max_clips is None
    )
    part = held_out(mars, made.root)
    assert part is not None
    frames = -(-681089 // 12180)
    assert part.lengths == (frames,) * 12180
    assert part.clips(mars) == 12180 * -(-frames // mars.settings.embed.frames)
    import pyarrow as pa
    import pyarrow.parquet as pq

    from reproid.catalog.datasets import index_of

    index = index_of(mars.dataset, mars.data, made.root)
    index.mkdir(parents=True)
    pq.write_table(pa.table({"tracklet_id": ["a", "b", "c"], "n_frames": [8, 9, 100]}), index / "tracklets.parquet")
    roles = {"split": [mars.split] * 4, "tracklet_id": ["a", "b", "b", "c"], "role": ["gallery", "query", "gallery", "train"]}
    pq.write_table(pa.table(roles), index / "splits.parquet")
    part = held_out(mars, made.root)
    assert part is not None
    assert part.lengths == (8, 9)
    assert part.clips(mars) == 3


def test_budget_run_that_was_measured_takes_what_it_took(made: Made) -> None:
    wanted = trained(made)
    measured(made, wanted, wall_s=300.0, embed_s=20.0)
    found = estimate(made, wanted)
    assert (found.train_s, found.train_basis, found.embed_s, found.embed_basis) == (300.0, "itself", 20.0, "itself")
    assert found.disk_bytes == sum(path.stat().st_size for path in (made.results / wanted.folder).rglob("*.*"))


def test_budget_run_takes_its_steps_at_the_rate_of_runs_like_it(made: Made) -> None:
    wanted = trained(made)
    train = wanted.settings.train.model_copy(update={"epochs": 10})
    like = wanted.model_copy(update={"run_id": "0" * 12, "settings": wanted.settings.model_copy(update={"train": train})})
    measured(made, like, wall_s=60.0, embed_s=20.0)  # 60 steps
    found = estimate(made, wanted)
    assert (found.train_s, found.train_basis, found.embed_s, found.embed_basis) == (300.0, "like runs", 20.0, "like runs")


def test_budget_run_takes_three_forward_passes_per_clip(made: Made) -> None:
    wanted = trained(made)
    costed(made, wanted, ms=2.0)
    found = estimate(made, wanted)
    assert (found.train_s, found.train_basis) == (pytest.approx(300 * 32 * 2e-3 * 3), "forward pass")
    assert (found.embed_s, found.embed_basis) == (
        None,
        "not measured",
    )  # the rendered set is not there: how long are its tracklets?
    assert found.disk_bytes == 4_000_000


def test_budget_runs_that_share_a_training_pay_for_it_once(made: Made) -> None:
    made.replace("suites/demo.yaml", "tables: [psformer/table-1, ", "tables: [psformer/table-1, psformer/table-8, ")
    made.replace(
        "suites/demo.yaml", "  psformer/vit-s: [mars]\n", "  psformer/threshold-0.4: [mars]\n  psformer/threshold-0.9: [mars]\n"
    )
    shared = [run for run in runs_of(made).values() if not run.trains]
    assert len(shared) == 2
    training = next(run for run in runs_of(made).values() if run.run_id == shared[0].training_id)
    measured(made, training, wall_s=1000)
    budget = suite_budget(made.catalog("demo"), made.read(), device="cuda")
    bases = {entry.run.run_id: (entry.train_s, entry.train_basis) for entry in budget.estimates}
    assert bases[training.run_id] == (1000, "itself")
    assert {bases[run.run_id] for run in shared} == {(0.0, "shared")}


@pytest.mark.parametrize("what", ["nothing", "other-device", "untimed"])
def test_budget_without_a_measurement_says_so_and_counts_nothing(made: Made, what: str) -> None:
    wanted = trained(made)
    if what == "other-device":
        measured(made, wanted, wall_s=300.0, device="cpu", embed_s=20.0)
    if what == "untimed":
        costed(made, wanted, ms=None)
    budget = suite_budget(made.catalog(), made.read(), device="cuda")
    assert budget.hours() == 0
    assert wanted.run_id in [entry.run.run_id for entry in budget.not_measured()]
    said = run("plan", "--device", "cuda").output
    methods = ", ".join(sorted({entry.settings.method for entry in runs_of(made).values()}))
    assert f"not measured      {len(made.runs())} runs ({methods})" in said
    assert "GPU hours         at least 0.00" in said


def test_plan_counts_what_is_done_and_what_is_left(made: Made) -> None:
    for entry in runs_of(made).values():
        measured(made, entry, wall_s=3600.0, embed_s=1800.0)
    (scored,) = made.entries("demo", "map")
    made.score(scored)
    measured(made, scored.run, wall_s=3600.0, embed_s=1800.0, started="2026-11-21T08:00:00+00:00")
    n = len(made.runs())
    (said,) = json.loads(run("plan", "--json").output)
    assert (said["device"], said["runs"], said["runs_done"], said["runs_not_measured"]) == ("cuda", n, 1, 0)
    source = {"hardware": "a GPU", "finished_runs": n, "forward_passes": 0, "first": "2026-11-21", "last": "2026-11-21"}
    assert said["measured"] == [source]
    assert (said["gpu_hours"], said["hours_left"]) == (1.5 * n, 1.5 * (n - 1))
    assert said["wall_hours_left"] == {"1": 1.5 * (n - 1), "8": 1.5 * -(-(n - 1) // 8), "64": 1.5}
    text = run("plan").output
    assert f"suite demo: {n} runs, 1 done\n  GPU hours         {1.5 * n:.2f}, of these left {1.5 * (n - 1):.2f}\n" in text
    assert f"  trainings by      {n} itself\n  measured on       a GPU: {n} finished runs, 0 forward passes, 2026-11-21" in text
    assert "hours of CPUs" not in text


def test_plan_names_what_its_own_estimates_rest_on_with_the_days(made: Made) -> None:
    """Not what else was measured: another network's time says nothing of this suite."""
    wanted = trained(made)
    costed(made, wanted, ms=2.0, device="cpu", started="2026-11-20T23:59:59+00:00")
    other = wanted.model_copy(update={"run_id": "0" * 12, "settings": wanted.settings.model_copy(update={"options": {"x": 1}})})
    measured(made, other, wall_s=60.0, device="cpu", started="2026-11-19T00:00:00+00:00")
    said = run("plan").output
    assert "  measured on       a processor, threads: 1: 0 finished runs, 1 forward passes, 2026-11-20\n" in said
    assert "2026-11-19" not in said
    costed(made, wanted, ms=2.0, device="cpu")
    assert "1 forward passes, on an unknown day" in run("plan").output


def test_plan_from_processors_says_that_nothing_is_known_of_gpus(made: Made) -> None:
    measured(made, trained(made), wall_s=3600.0, device="cpu", embed_s=20.0)
    said = run("plan").output
    assert "  CPU hours         at least 1.0" in said
    assert "  GPUs              these are hours of CPUs; what the suite takes on GPUs they do not say (--device cuda)\n" in said
    said = run("plan", "--device", "cuda").output
    assert "  GPU hours         at least 0.00" in said
    assert "  measured on       nothing: no GPU time here fits a run of this suite\n" in said
    assert "hours of CPUs" not in said


def test_budget_training_on_several_gpus_takes_the_time_of_each(made: Made) -> None:
    wanted = trained(made)
    measured(made, wanted, wall_s=300.0, world_size=4)
    assert estimate(made, wanted).train_s == 1200.0
    measured(made, wanted, wall_s=300.0, world_size="many")
    assert estimate(made, wanted).train_s == 300.0


def test_plan_every_suite_and_every_data_set(made: Made) -> None:
    said = {entry["suite"]: entry for entry in json.loads(run("plan", "--all-suites", "--json").output)}
    assert list(said) == sorted(path.stem for path in (ROOT / "suites").glob("*.yaml"))
    assert said["paper"]["runs"] == 0
    assert said["paper"]["cells_without_runs"]["data missing"] > 0
    (paper,) = json.loads(run("plan", "--suite", "paper", "--all-data", "--json").output)
    assert paper["runs"] == len(runs_of(made, "paper", all_data=True)) > 0
    assert "data missing" not in paper["cells_without_runs"]


def test_measured_devices_prefers_the_gpu(made: Made) -> None:
    assert measured_devices(made.read()) == ()
    measured(made, trained(made), wall_s=1.0, device="cpu")
    assert measured_devices(made.read()) == ("cpu",)
    costed(made, trained(made), ms=1.0)
    assert measured_devices(made.read()) == ("cuda", "cpu")


def test_plan_damaged_files_are_passed_over(made: Made) -> None:
    wanted = trained(made)
    measured(made, wanted, wall_s=300.0)
    made.write(f"{wanted.folder}/run.json", "{}")
    made.write("cost/aaaaaaaaaaaa.json", {"plan": 3})
    made.write("cost/bbbbbbbbbbbb.json", "{")
    made.write(f"benchmarks/embed/{wanted.dataset}/{wanted.run_id}-dense.tsv", "")
    assert estimate(made, wanted).train_basis == "not measured"


def test_plan_folder_of_results_may_lie_elsewhere(made: Made, tmp_path: Path) -> None:
    measured(made, trained(made), wall_s=3600.0)
    (said,) = json.loads(run("plan", "--results", str(tmp_path / "none"), "--json").output)
    assert said["gpu_hours"] == 0
