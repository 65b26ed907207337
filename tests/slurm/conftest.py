"""One private cluster per session. What takes minutes of waiting goes on beside the rest: see support/scenarios.py."""

import inspect
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from support import scenarios
from support.cluster import INSTALL, Cluster, missing
from support.on_cluster import OnCluster, Undisturbed, run_undisturbed


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running SLURM; without its programs the tests are skipped (in CI, where nothing may be, they fail)."""
    if lacking := missing():
        pytest.skip(f"SLURM is not installed ({', '.join(lacking)} not found): {INSTALL}")
    with Cluster() as running:
        yield running


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The small suite, run without SLURM."""
    return run_undisturbed(tmp_path_factory.mktemp("slurm") / "undisturbed")


@pytest.fixture(scope="session")
def started(
    cluster: Cluster,
    undisturbed: Undisturbed,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[dict[str, Future[OnCluster]]]:
    """Every scenario that a selected test names, under way; `result()` waits for its end."""
    folder: Path = tmp_path_factory.mktemp("scenarios")
    tests = "".join(inspect.getsource(item.function) for item in request.session.items if isinstance(item, pytest.Function))
    with ThreadPoolExecutor(len(scenarios.ALL)) as pool:
        yield {
            name: pool.submit(play, undisturbed.checkout(folder / name, cluster), undisturbed)
            for name, play in scenarios.ALL.items()
            if f'started["{name}"]' in tests
        }
