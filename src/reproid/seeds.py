"""Seeds: one number in the settings, one derived seed per axis of randomness, so that no axis disturbs another."""

import hashlib
from typing import Literal

Axis = Literal["data", "init", "sampling", "augmentation", "order", "bootstrap", "control"]


def derive_seed(seed: int, axis: Axis, *keys: int | str) -> int:
    """Return the seed in [0, 2**63) of one axis of randomness.

    Args:
        seed: the run's seed.
        axis: what is random: ``data`` (synthetic images), ``init`` (weights), ``order`` (batches), ``sampling`` (frames),
            ``augmentation`` (flips, erasing), ``bootstrap`` (intervals), ``control`` (random embeddings).
        keys: what else the draw depends on, such as the epoch and the index of a sample.
    """
    text = "/".join([str(int(seed)), axis, *map(str, keys)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
