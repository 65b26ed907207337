"""docs/tutorial.md, followed to the letter on the real clip."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reproid.cli import cli

ROOT = Path(__file__).resolve().parents[3]
CLIP = ROOT.parent / "shared/data/intel-sample-videos/one-by-one-person-detection.mp4"
PAGE = (ROOT / "docs/tutorial.md").read_text()
COMMANDS = [
    line for block in re.findall(r"```\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.splitlines() if "<" not in line
]


def test_tutorial_commands_say_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not CLIP.is_file():
        pytest.skip("needs the real clip beside the project")
    (tmp_path / "docs").mkdir()
    shutil.copy2(ROOT / "docs/tutorial.boxes.csv", tmp_path / "docs")
    shutil.copyfile(CLIP, tmp_path / CLIP.name)
    monkeypatch.chdir(tmp_path)
    assert [command.split()[0] for command in COMMANDS] == ["mkdir", "cp", "cp", "reproid", "reproid", "reproid"]
    for command in COMMANDS[:3]:
        subprocess.run(command.split(), check=True)
    said = []
    for command in COMMANDS[3:]:
        cli.main(command.split()[1:], standalone_mode=False)  # one process: each further one would load torch again
        said.append(capsys.readouterr().out)
    assert "6 tracklets" in said[0]
    for output in said[1:]:
        (score,) = re.findall(r"mAP [\d.]+, rank-1 [\d.]+ over \d+ queries", output)
        assert score in PAGE
    assert (tmp_path / "rank.html").read_text().count('class="right"') == 6
    assert len((tmp_path / "rank.csv").read_text().splitlines()) == 1 + 6 * 6


def test_tutorial_boxes_are_those_of_the_real_clip() -> None:
    if not CLIP.is_file():
        pytest.skip("needs the real clip beside the project")
    assert (ROOT / "docs/tutorial.boxes.csv").read_bytes() == CLIP.with_suffix(".boxes.csv").read_bytes()


def test_tutorial_links_lead_to_files() -> None:
    links = re.findall(r"\]\(([^):]+)\)", PAGE)
    assert len(links) == 2
    assert [link for link in links if not (ROOT / "docs" / link).is_file()] == []
