"""What a method costs: declared by a suite, planned per experiment at its paper's own size, whatever the suite trains."""

from typing import Any

from pydantic import PositiveInt

from reproid.catalog._yaml import Strict
from reproid.catalog.digest import digest
from reproid.catalog.settings import Settings

SCHEMA = 1


class CostSettings(Strict):
    """What is measured beside MACs and parameters: the record ``cost`` of a suite."""

    batches: tuple[PositiveInt, ...] = (1, 8)
    """Videos per batch whose time is taken; the column ms/video shows batch 1. Empty: no time is taken."""
    repeats: PositiveInt = 10
    """Timed passes per batch size, after the warm-up; their median counts."""


class PlannedCost(Strict):
    """One measurement and its identity. It depends on neither data nor seed."""

    cost_id: str
    method: str
    revision: PositiveInt
    """The method's."""
    options: dict[str, Any]
    """The method's, complete."""
    frames: PositiveInt
    """T of the clip."""
    height: PositiveInt
    width: PositiveInt
    settings: CostSettings

    @property
    def path(self) -> str:
        """Path below results/."""
        return f"cost/{self.cost_id}.json"


def make_cost(settings: Settings, *, revision: int, measured: CostSettings) -> PlannedCost:
    """Return the measurement of these settings; equal networks and clips share one, whatever table or suite asks for it.

    What is measured is part of the identity: a suite that takes no time must not hide that of another.
    """
    clips = settings.clips
    shape: dict[str, Any] = {"method": settings.method, "revision": revision, "options": settings.options}
    shape |= {"frames": clips.frames, "height": clips.height, "width": clips.width}
    cost_id = digest({"schema": SCHEMA, **shape, "settings": measured.model_dump(mode="json")})
    return PlannedCost(cost_id=cost_id, settings=measured, **shape)
