"""`reproid cost`: what a method costs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reproid.cli._threads import wait_quietly

if TYPE_CHECKING:
    from reproid.catalog.costs import PlannedCost


@click.command()
@click.option("--experiment", help="<paper>/<experiment>, measured at its paper's own size.")
@click.option("--cost-id", help="A measurement that a suite plans; the suite says what is timed.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write.  [default: results/cost/<id>.json]")
@click.option(
    "--batch", "batches", type=click.IntRange(min=1), multiple=True, help="Videos per batch; repeat it.  [default: 1, 8]"
)
@click.option("--repeats", type=click.IntRange(min=1), help="Timed passes per batch size.  [default: 10]")
@click.option("--no-time", is_flag=True, help="MACs and parameters alone.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="Where time is taken.  [default: cuda where there is one]")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads of torch on the CPU.")
def cost(
    experiment: str | None, cost_id: str | None, out: Path | None, device: str | None, threads: int, **measured: Any
) -> None:
    """Measure what a method costs: MACs, parameters, time, memory.

    One clip of the paper's size stands for a video; neither data nor weights are needed. MACs are counted as torch executes them
    and computed by hand; a difference of more than 1 % is an error. Time is that of warm passes with frames in memory.

    \b
    Examples:
      reproid cost --experiment psformer/resnet50 --out cost.json
      reproid cost --experiment psformer/vit-b --out cost.json --batch 1 --batch 8 --repeats 20 --device cuda
      reproid cost --experiment psformer/vit-s --out cost.json --no-time
    """  # noqa: D301
    wait_quietly()
    import torch

    from reproid.catalog.project import project_root
    from reproid.cost.measure import CostJob, measure

    plan = _the_plan(experiment, cost_id, **measured)
    out = out or project_root() / "results" / plan.path
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    found = measure(CostJob(plan=plan, out=out, device=device, threads=threads))
    click.echo("\n".join([*_said(found), *(_beside(experiment, found) if experiment else [])]))


def _the_plan(
    experiment: str | None, cost_id: str | None, *, batches: tuple[int, ...], repeats: int | None, no_time: bool
) -> "PlannedCost":
    from reproid.catalog.catalog import load_catalog
    from reproid.catalog.costs import CostSettings
    from reproid.catalog.plan import find_cost, plan_cost
    from reproid.errors import InputError

    if (experiment is None) == (cost_id is None):
        raise InputError("which measurement?", where="reproid cost", expected="either --experiment or --cost-id")
    if no_time and (batches or repeats):
        raise InputError("time is asked for and declined", where="reproid cost", expected="--no-time, or --batch and --repeats")
    if cost_id is not None:
        if batches or repeats or no_time:
            where = "reproid cost --cost-id"
            raise InputError("its suite says what is timed", where=where, expected="no --batch, --repeats or --no-time")
        return find_cost(load_catalog(), cost_id)
    given: dict[str, Any] = {"batches": () if no_time else batches or None, "repeats": repeats}
    settings = CostSettings(**{name: value for name, value in given.items() if value is not None})
    return plan_cost(load_catalog(), str(experiment), settings)


def _said(found: dict[str, Any]) -> list[str]:
    lines = [
        f"{found['gmacs']:.2f} GMACs, {found['gmacs_without_attention']:.2f} without attention products",
        f"{found['parameters'] / 1e6:.2f} M parameters",
    ]
    for timing in found["timings"]:
        lines.append(f"{timing['ms_per_video']:.1f} ms per video in batches of {timing['batch']} ({found['device']})")
    return lines


def _beside(experiment: str, found: dict[str, Any]) -> list[str]:
    """Return a line for each figure that the papers print of this experiment."""
    from reproid.catalog.catalog import load_catalog
    from reproid.catalog.printed import printed_values

    lines = []
    for printed in printed_values(load_catalog(), experiment, "gmacs"):
        difference = 100 * (found["gmacs"] / printed.value - 1)
        lines.append(f"printed: {printed.value:g} GMACs ({'; '.join(printed.tables)}); own {difference:+.1f} %")
    return lines
