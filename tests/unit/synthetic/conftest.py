import pytest

from reproid.catalog.synthetic import SyntheticSpec
from reproid.synthetic.render import Rendered, render_dataset

TINY = SyntheticSpec(
    train_persons=4, test_persons=4, cameras=3, cameras_per_person=(2, 3), tracklets_per_camera=(1, 2), frames=(3, 5),
    distractors=2, junk=2, height=64, width=32, seed=5,
)  # fmt: skip


@pytest.fixture(scope="session")
def tiny() -> SyntheticSpec:
    return TINY


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return render_dataset(TINY, tmp_path_factory.mktemp("set") / "tiny")
