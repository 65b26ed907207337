"""What iLIDS-VID and PRID-2011 share: two cameras, one tracklet of each person in each, ten splits of the persons."""

import numpy as np

from reproid.catalog.synthetic import SyntheticSpec
from reproid.seeds import derive_seed
from reproid.synthetic.layouts import require

N_SPLITS = 10


def check_two_cameras(spec: SyntheticSpec, *, layout: str, max_pid: int) -> None:
    """Raise an `InputError` unless the set has the form that two-camera layouts can hold."""
    persons = spec.train_persons + spec.test_persons
    require(spec.cameras == 2, layout, "cameras", expected=2, got=spec.cameras)
    ranges = list(spec.tracklets_per_camera)
    require(ranges == [1, 1], layout, "tracklets_per_camera", expected=[1, 1], got=ranges)
    equal = spec.train_persons == spec.test_persons
    require(equal, layout, "train_persons", expected=f"{spec.test_persons}, as test_persons", got=spec.train_persons)
    require(persons <= max_pid, layout, "persons", expected=f"at most {max_pid}", got=persons)
    for name in ("junk", "distractors"):
        require(getattr(spec, name) == 0, layout, name, expected=0, got=getattr(spec, name))


def train_persons(spec: SyntheticSpec, split: int) -> list[int]:
    """Return the training pids of a split, sorted; split 0 is the set's own."""
    if split == 0:
        return list(range(1, spec.train_persons + 1))
    rng = np.random.default_rng(derive_seed(spec.seed, "data", "split", split))
    persons = spec.train_persons + spec.test_persons
    return sorted((rng.permutation(persons)[: spec.train_persons] + 1).tolist())
