"""The shared project fixture, with result files to be made up."""

from pathlib import Path

import pytest

from report.made import Made


@pytest.fixture
def made(project: Path) -> Made:
    return Made(root=project)
