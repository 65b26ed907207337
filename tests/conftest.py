"""Fixtures for all tests, and the rule that in CI nothing may be skipped for want of a component."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded: threads that wait must not spin on shared cores
ROOT = Path(__file__).resolve().parent.parent
DECLARED = ("params.yaml", "datasets.yaml", "weights.yaml", "papers", "suites")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of everything declared, in an empty folder that is the current one; tests edit it freely."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in DECLARED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / name)
    for variable in ("REPROID_ROOT", "REPROID_DATA", "REPROID_WEIGHTS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(folder)
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Fail instead of skipping where CI=true: a machine that lacks a component would otherwise pass without having tested it.

    The one exception are the data sets' real metadata, which are no component and lie beside some clones only (../shared).
    """
    report = yield
    elsewhere = "real" in str(report.longrepr) and "beside" in str(report.longrepr) and not (ROOT.parent / "shared").is_dir()
    if report.skipped and os.environ.get("CI") == "true" and not elsewhere and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: skipped where nothing may be: {report.longrepr}"
    return report
