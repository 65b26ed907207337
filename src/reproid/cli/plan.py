"""``reproid plan``: what a suite takes, before it runs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from reproid.report.budget import Budget

DEVICES = (1, 8, 64)


@click.command()
@click.option("--suite", "suites", multiple=True, metavar="NAME", help="A suite; repeat it.  [default: that of params.yaml]")
@click.option("--all-suites", is_flag=True, help="Every suite of the project.")
@click.option("--all-data", is_flag=True, help="Plan as if every data set were on this machine.")
@click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), help="Measurements that count.  [default: cuda where there are any]"
)
@click.option("--results", type=click.Path(path_type=Path), metavar="DIR", help="Result files; default: results/.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def plan(
    suites: tuple[str, ...], device: str | None, results: Path | None, *, all_suites: bool, all_data: bool, as_json: bool
) -> None:
    """Say what a suite takes: runs, GPU hours, disk, wall time on 1, 8 and 64 GPUs.

    Estimated from the manifests and benchmarks of finished runs and from results/cost. What has no measurement behind it is
    counted apart and named, with the command that measures it.

    Assumed: one run per GPU, the longest first, no queue; a training step takes three forward passes where only those were timed.
    Left out: evaluation, tables and report (CPU minutes), data sets, resume states (up to three times the weights of each running
    training).

    \b
    Examples:
      reproid plan
      reproid plan --suite paper --all-data
      reproid plan --all-suites --device cpu
      reproid plan --suite paper --json | jq '.[0].gpu_hours'
    """  # noqa: D301
    from reproid.catalog.catalog import load_catalog, suite_names
    from reproid.catalog.project import project_root
    from reproid.report.budget import measured_devices, suite_budget
    from reproid.report.results import Results

    root = project_root()
    files = Results(results if results is not None else root / "results")
    chosen: Any = device or (measured_devices(files) or ("cuda",))[0]
    names = suite_names(root) if all_suites else dict.fromkeys(suites)
    catalogs = [load_catalog(root, suite=name) for name in names] or [load_catalog(root)]
    budgets = [suite_budget(catalog, files, device=chosen, all_data=all_data) for catalog in catalogs]
    if as_json:
        click.echo(json.dumps([_plain(budget) for budget in budgets], indent=1, ensure_ascii=False))
    else:
        click.echo("\n\n".join(_text(budget) for budget in budgets))


def _plain(budget: "Budget") -> dict[str, Any]:
    estimates = budget.estimates
    return {
        "suite": budget.suite,
        "device": budget.device,
        "measured": _measured(budget),
        "runs": len(estimates),
        "runs_done": sum(entry.done for entry in estimates),
        "runs_not_measured": len(budget.not_measured()),
        "gpu_hours" if budget.device == "cuda" else "cpu_hours": round(budget.hours(), 3),
        "hours_left": round(budget.hours(left=True), 3),
        "disk_gb": round(budget.disk_gb(), 3),
        "wall_hours_left": {str(devices): round(budget.wall_hours(devices), 3) for devices in DEVICES},
        "bases": _bases(budget),
        "cells_without_runs": budget.cells_without_runs,
        "estimates": [
            {
                "run_id": entry.run.run_id,
                "dataset": entry.run.dataset,
                "method": entry.run.settings.method,
                "done": entry.done,
                "train_s": entry.train_s,
                "train_basis": entry.train_basis,
                "embed_s": entry.embed_s,
                "embed_basis": entry.embed_basis,
                "disk_bytes": entry.disk_bytes,
            }
            for entry in estimates
        ],
    }


def _text(budget: "Budget") -> str:
    kind = "GPU" if budget.device == "cuda" else "CPU"
    unit = "GPU" if budget.device == "cuda" else "process"
    missing = budget.not_measured()
    at_least = "at least " if missing else ""
    disk_at_least = "at least " if any(entry.disk_bytes is None for entry in budget.estimates) else ""
    done = sum(entry.done for entry in budget.estimates)
    lines = [
        f"suite {budget.suite}: {len(budget.estimates)} runs, {done} done",
        f"  {kind} hours         {at_least}{budget.hours():.2f}, of these left {budget.hours(left=True):.2f}",
        f"  disk              {disk_at_least}{budget.disk_gb():.2f} GB",
    ]
    for devices in DEVICES:
        label = f"{devices} {unit}{('s' if unit == 'GPU' else 'es') if devices > 1 else ''}"
        lines.append(f"  {f'on {label}':<16}  {at_least}{budget.wall_hours(devices):.2f} hours from now")
    basis = ", ".join(f"{count} {name}" for name, count in _bases(budget).items())
    lines.append(f"  trainings by      {basis or 'none planned'}")
    lines += [f"  measured on       {_source(found)}" for found in _measured(budget)] or [
        f"  measured on       nothing: no {kind} time here fits a run of this suite"
    ]
    if budget.device == "cpu":
        lines.append("  GPUs              these are hours of CPUs; what the suite takes on GPUs they do not say (--device cuda)")
    if budget.cells_without_runs:
        cells = ", ".join(f"{count} {reason}" for reason, count in budget.cells_without_runs.items())
        lines.append(f"  without runs      cells: {cells}")
    return "\n".join(lines + _how_to_measure(budget))


def _how_to_measure(budget: "Budget") -> list[str]:
    missing = budget.not_measured()
    if not missing:
        return []
    methods = ", ".join(sorted({entry.run.settings.method for entry in missing}))
    where = "" if budget.device == "cpu" else " on a machine with the GPU in question"
    return [
        f"  not measured      {len(missing)} runs ({methods}): in no figure above, or only in part. To measure them, run",
        f"                    `reproid cost --experiment <paper>/<experiment>`{where}, or finish one run of each network",
    ]


def _measured(budget: "Budget") -> list[dict[str, Any]]:
    """Return for each hardware what was timed on it, and when."""
    found = []
    for hardware in dict.fromkeys(entry.hardware for entry in budget.measurements):
        entries = [entry for entry in budget.measurements if entry.hardware == hardware]
        dates = sorted({entry.date for entry in entries if entry.date is not None})
        counts = {
            "finished_runs": sum(entry.is_run for entry in entries),
            "forward_passes": sum(not entry.is_run for entry in entries),
        }
        found.append({"hardware": hardware, **counts, "first": dates[0] if dates else None, "last": dates[-1] if dates else None})
    return found


def _source(found: dict[str, Any]) -> str:
    days = " to ".join(dict.fromkeys(filter(None, (found["first"], found["last"])))) or "on an unknown day"
    return f"{found['hardware']}: {found['finished_runs']} finished runs, {found['forward_passes']} forward passes, {days}"


def _bases(budget: "Budget") -> dict[str, int]:
    found = [entry.train_basis for entry in budget.estimates]
    return {basis: found.count(basis) for basis in sorted(set(found))}
