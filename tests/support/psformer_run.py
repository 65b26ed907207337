"""A run of a PSFormer so small that it trains in a second, on the frames of support/tracklets.py."""

from typing import Any

from reproid.catalog.methods import load_methods
from reproid.catalog.runs import Run, make_run
from reproid.catalog.settings import Gop, Settings
from support.tracklets import HEIGHT, WIDTH, small_run

SMALL: dict[str, Any] = {
    "width": 16,
    "depth": 2,
    "heads": 2,
    "grid": [HEIGHT // 16, WIDTH // 16],
    "local_grid": [1, 1],
    "cnn_channels": [2, 3, 4, 5],
    "score_width": 6,
    "warp_width": 5,
    "pretrained": None,
}


def psformer_run(*, epochs: int = 1, **options: object) -> Run:
    """Return a run on clips of three frames; ``options`` are the method's."""
    base = small_run(epochs=epochs)
    resolved = load_methods()["psformer"].resolve_options(SMALL | options, where="test")
    values = base.settings.model_dump() | {"method": "psformer", "options": resolved}
    values |= {"gop": Gop(method="block-matching").model_dump()}
    values["clips"]["frames"] = values["embed"]["frames"] = 3
    settings = Settings.model_validate(values)
    return make_run(settings, dataset=base.dataset, data=base.data, split=base.split, seed=0, revision=1)
