"""What a suite takes: device hours and disk, estimated from what finished runs and measured costs took. Nothing is guessed.

A training takes, in this order of preference: what its own manifest says; the seconds per step of finished runs with the same
network, clip and batch, times its steps; three forward passes (one, and two for the gradient) of the measured cost of the same
network and clip, times its clips. Descriptors take what the benchmark of the rule says, or that of a run with the same network on
the same data, or one forward pass per test clip. Where none of these is there, the run is counted as not measured.
"""

import heapq
import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from reproid.catalog.catalog import Catalog
from reproid.catalog.plan import plan_suite, planned_runs
from reproid.catalog.runs import Run
from reproid.report.load import HeldOut, held_out, training_steps
from reproid.report.results import Results

Device = Literal["cpu", "cuda"]
Basis = Literal["itself", "like runs", "forward pass", "no steps", "shared", "not measured"]
BACKWARD = 2.0
"""A gradient takes about two forward passes: one for the activations', one for the weights'."""
BYTES = 4
"""Of a float32."""


@dataclass(frozen=True, kw_only=True, order=True)
class Measurement:
    """A file that a time comes from."""

    hardware: str
    date: str | None
    """Day, UTC; None in a file of before it was recorded."""
    path: str
    """Below results/."""

    @property
    def is_run(self) -> bool:
        """Tell whether a finished run was timed; else it was a forward pass."""
        return self.path.startswith("runs/")


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One run."""

    run: Run
    done: bool
    train_s: float | None
    train_basis: Basis
    embed_s: float | None
    embed_basis: Basis
    disk_bytes: int | None
    """Of its folder when done; weights alone where only their number is known."""

    @property
    def known_s(self) -> float:
        """Seconds on one device, as far as they are known."""
        return (self.train_s or 0.0) + (self.embed_s or 0.0)


@dataclass(frozen=True, kw_only=True)
class Budget:
    """One suite."""

    suite: str
    device: Device
    measurements: tuple[Measurement, ...]
    """That the estimates rest on, by hardware, oldest first."""
    estimates: tuple[Estimate, ...]
    cells_without_runs: dict[str, int]
    """Why -> cells of the suite's tables that no run is planned for."""

    def hours(self, *, left: bool = False) -> float:
        """Return device hours of all runs, or of those that are left."""
        return sum(entry.known_s for entry in self.estimates if not (left and entry.done)) / 3600

    def wall_hours(self, devices: int) -> float:
        """Return the hours until the runs that are left are through on so many devices, the longest first, one run per device."""
        return makespan((entry.known_s for entry in self.estimates if not entry.done), devices) / 3600

    def disk_gb(self) -> float:
        """Return the size of all runs' folders, as far as it is known."""
        return sum(entry.disk_bytes or 0 for entry in self.estimates) / 1e9

    def not_measured(self) -> tuple[Estimate, ...]:
        """Return the runs whose training or description has no measurement behind it."""
        return tuple(entry for entry in self.estimates if "not measured" in (entry.train_basis, entry.embed_basis))


def makespan(durations: Iterable[float], devices: int) -> float:
    """Return when the last of some jobs ends if the longest waiting one starts on each device that is free."""
    ends = [0.0] * devices
    for duration in sorted(durations, reverse=True):
        heapq.heapreplace(ends, ends[0] + duration)
    return max(ends)


def suite_budget(catalog: Catalog, results: Results, *, device: Device, all_data: bool = False) -> Budget:
    """Return what the catalog's suite takes on one kind of device.

    Args:
        catalog: its suite is planned.
        results: where finished runs and measured costs lie.
        device: measurements of other devices do not count.
        all_data: plan as if every data set were on this machine.
    """
    tables = plan_suite(catalog, all_data=all_data)
    without: dict[str, int] = defaultdict(int)
    for cell in (cell for table in tables for row in table.cells for cell in row):
        if cell.reason is not None:
            without[cell.reason] += 1
    made = _Estimator(catalog, results, device)
    metrics: dict[str, list[str]] = defaultdict(list)
    for table in tables:
        for entry in table.metrics():
            metrics[entry.run.run_id].append(entry.path)
    runs = planned_runs(tables)
    first = {run.training_id: run_id for run_id, run in reversed(runs.items())}  # pays for the training that others share
    estimates = tuple(
        made.estimate(run, metrics[run_id], trains=first[run.training_id] == run_id) for run_id, run in runs.items()
    )
    return Budget(
        suite=catalog.suite.name,
        device=device,
        measurements=tuple(sorted(made.used, key=lambda found: (found.hardware, found.date or "", found.path))),
        estimates=estimates,
        cells_without_runs=dict(sorted(without.items())),
    )


def measured_devices(results: Results) -> tuple[Device, ...]:
    """Return the kinds of device that any finished run or timed cost was measured on."""
    found = {str(content.get("device")) for content in _measured(results, "runs/*/*/manifest.json")}
    found |= {str(content.get("device")) for content in _measured(results, "cost/*.json") if content.get("timings")}
    known: tuple[Device, ...] = ("cuda", "cpu")
    return tuple(device for device in known if device in found)


class _Estimator:
    """Collects what was measured on one kind of device, then estimates run by run."""

    def __init__(self, catalog: Catalog, results: Results, device: Device) -> None:
        self._root, self._results = catalog.root, results
        self.used: set[Measurement] = set()
        """Behind the estimates so far."""
        self._behind: dict[tuple[Basis, str], set[Measurement]] = defaultdict(set)
        self._forward_ms: dict[str, float] = {}
        self._parameters: dict[str, int] = {}
        self._own_s: dict[str, float] = {}
        self._step_s: dict[str, list[float]] = defaultdict(list)
        self._embed_s: dict[str, list[float]] = defaultdict(list)
        self._disk: dict[str, list[int]] = defaultdict(list)
        self._tests: dict[tuple[str, str], HeldOut | None] = {}
        self._read_costs(device)
        self._read_runs(device)

    def estimate(self, run: Run, metrics: list[str], *, trains: bool) -> Estimate:
        done = all((self._results.folder / path).is_file() for path in metrics)
        nothing: tuple[float | None, Basis] = (0.0, "shared")
        train_s, train_basis = self._training(run) if trains else nothing
        embed_s, embed_basis = self._description(run)
        sizes = self._disk.get(_network(run))
        parameters = self._parameters.get(_network(run))
        disk = round(statistics.median(sizes)) if sizes else BYTES * parameters if parameters is not None else None
        return Estimate(
            run=run,
            done=done,
            train_s=train_s,
            train_basis=train_basis,
            embed_s=embed_s,
            embed_basis=embed_basis,
            disk_bytes=disk,
        )

    def _training(self, run: Run) -> tuple[float | None, Basis]:
        if run.run_id in self._own_s:
            return self._own_s[run.run_id], self._basis("itself", run.run_id)
        steps = training_steps(run)
        if steps == 0:
            return 0.0, "no steps"
        if steps is not None and _step(run) in self._step_s:
            return steps * statistics.median(self._step_s[_step(run)]), self._basis("like runs", _step(run))
        forward = self._forward_ms.get(_network(run))
        if steps is None or forward is None:
            return None, "not measured"
        batch = run.settings.train.batch
        clips = steps * batch.persons * batch.clips_per_person
        return clips * forward * (1 + BACKWARD) / 1000, self._basis("forward pass", _network(run))

    def _description(self, run: Run) -> tuple[float | None, Basis]:
        own = self._benchmark(run)
        if own is not None and run.run_id in self._own_s:
            return own, self._basis("itself", run.run_id)
        if _embedding(run) in self._embed_s:
            return statistics.median(self._embed_s[_embedding(run)]), self._basis("like runs", _embedding(run))
        forward, part = self._forward_ms.get(_network(run)), self._held_out(run)
        if forward is None or part is None:
            return None, "not measured"
        return part.clips(run) * forward / 1000, self._basis("forward pass", _network(run))

    def _basis(self, basis: Basis, key: str) -> Basis:
        """Note what an estimate rests on, and return it."""
        self.used |= self._behind[basis, key]
        return basis

    def _held_out(self, run: Run) -> HeldOut | None:
        key = (run.dataset, run.split)
        if key not in self._tests:
            self._tests[key] = held_out(run, self._root)
        return self._tests[key]

    def _read_costs(self, device: Device) -> None:
        for content in _measured(self._results, "cost/*.json"):
            try:
                plan, timings = content["plan"], content["timings"]
                clip = (plan["frames"], plan["height"], plan["width"])
                key = _key(plan["method"], plan["revision"], plan["options"], *clip)
                self._parameters[key] = int(content["parameters"])
                if timings and content["device"] == device:
                    self._forward_ms[key] = float(max(timings, key=lambda timing: timing["batch"])["ms_per_video"])
                    self._behind["forward pass", key] = {_measurement(content, device)}
            except (KeyError, TypeError, ValueError):
                continue  # not a file of this version; the report names damaged ones

    def _read_runs(self, device: Device) -> None:
        for content in _measured(self._results, "runs/*/*/manifest.json"):
            folder = Path(content["path"]).parent
            run = self._run_of(folder)
            if run is None or content.get("device") != device or not isinstance(content.get("wall_s"), int | float):
                continue
            ranks = content.get("world_size")
            device_s = float(content["wall_s"]) * (ranks if isinstance(ranks, int) else 1)
            found = {_measurement(content, device)}
            self._own_s[run.run_id] = device_s
            self._behind["itself", run.run_id] = found
            if run.trains and (steps := training_steps(run)):
                self._step_s[_step(run)].append(device_s / steps)
                self._behind["like runs", _step(run)] |= found
            if (described := self._benchmark(run)) is not None:
                self._embed_s[_embedding(run)].append(described)
                self._behind["like runs", _embedding(run)] |= found
            files = (path for path in (self._results.folder / folder).rglob("*") if path.is_file())
            self._disk[_network(run)].append(sum(path.stat().st_size for path in files))

    def _run_of(self, folder: Path) -> Run | None:
        content = self._results.plain(f"{folder}/run.json")
        try:
            return Run.model_validate(content) if isinstance(content, dict) else None
        except ValueError:
            return None

    def _benchmark(self, run: Run) -> float | None:
        """Return the seconds of the rule that made a run's descriptors."""
        path = f"benchmarks/embed/{run.dataset}/{run.run_id}-{run.settings.embed.sampling}.tsv"
        try:
            head, *rows = (self._results.folder / path).read_text(encoding="utf-8").splitlines()
            return float(rows[-1].split("\t")[head.split("\t").index("s")])
        except (OSError, ValueError, IndexError):
            return None


def _measurement(content: dict[str, Any], device: Device) -> Measurement:
    about, started = content.get("hardware") or {}, content.get("started")
    hardware = about.get("gpu") if device == "cuda" else f"{about.get('cpu')}, threads: {content.get('threads')}"
    date = started[:10] if isinstance(started, str) else None
    return Measurement(hardware=str(hardware), date=date, path=content["path"])


def _measured(results: Results, pattern: str) -> Iterable[dict[str, Any]]:
    for path in sorted(results.folder.glob(pattern)):
        name = path.relative_to(results.folder).as_posix()
        content = results.plain(name)
        if isinstance(content, dict):
            yield {**content, "path": name}


def _key(*parts: object) -> str:
    return repr([sorted(part.items()) if isinstance(part, dict) else part for part in parts])


def _network(run: Run) -> str:
    settings, clips = run.settings, run.settings.clips
    return _key(settings.method, run.revision, settings.options, clips.frames, clips.height, clips.width)


def _step(run: Run) -> str:
    train = run.settings.train
    return _key(_network(run), train.batch.persons, train.batch.clips_per_person, train.mixed_precision)


def _embedding(run: Run) -> str:
    return _key(_network(run), run.dataset, run.settings.embed.model_dump(mode="json"))
