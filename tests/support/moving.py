"""The test-only method `moving`, which requires groups of pictures: known to the registry while a test runs."""

from pathlib import Path
from typing import Any

import pytest

import reproid.models
from reproid.catalog import methods
from reproid.catalog.runs import Run, make_run
from reproid.catalog.settings import Settings
from support.tracklets import HEIGHT, WIDTH, small_run

FOLDER = Path(__file__).parent / "methods"


def register(patch: pytest.MonkeyPatch) -> None:
    """Let reproid find the method."""
    known = methods.load_methods()
    patch.setattr(reproid.models, "__path__", [*reproid.models.__path__, str(FOLDER)])
    patch.setattr("reproid.models.registry.load_methods", lambda: known | methods.load_methods(FOLDER))


def moving_run(**gop: Any) -> Run:
    """Return a run of it on the tracklets of `support.tracklets`; ``gop`` are settings of its group of pictures."""
    small = small_run()
    clips = {"frames": 3, "height": 2 * HEIGHT, "width": 2 * WIDTH, "pad": 2}
    values = small.settings.model_dump() | {"method": "moving", "options": {}, "clips": clips, "embed": {"frames": 3}, "gop": gop}
    settings = Settings.model_validate(values)
    return make_run(settings, dataset=small.dataset, data=small.data, split=small.split, seed=0, revision=1)
