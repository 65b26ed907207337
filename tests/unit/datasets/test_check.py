import io
import shutil
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from reproid.catalog.synthetic import SyntheticSpec
from reproid.cli.data import data
from reproid.datasets import check
from reproid.datasets.check import check_data, count, offending
from reproid.datasets.data_folder import DataFolder
from reproid.datasets.folder_images import decoded_size
from reproid.datasets.layouts import LAYOUTS, read_layout
from reproid.errors import InputError
from reproid.synthetic.render import render_dataset

SPEC = SyntheticSpec(
    train_persons=4, test_persons=4, cameras=2, cameras_per_person=(2, 2), tracklets_per_camera=(1, 1),
    frames=(2, 3), height=32, width=16, distractors=1, junk=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_dataset(SPEC, tmp_path_factory.mktemp("sets") / "set").folder


@pytest.fixture
def mars(rendered: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(rendered, tmp_path / "set"))


def test_check_data_counts_everything_and_opens_every_frame(mars: Path) -> None:
    counts = {"train_persons": 4, "junk_tracklets": 1, "distractor_tracklets": 1}
    totals, steps = list[int](), list[int]()
    frames = len(list(mars.rglob("*.jpg")))
    found = check_data(
        mars, layout="mars", counts=counts, cameras={}, start=lambda total: (totals.append(total), steps.append)[1]
    )
    assert found.passed
    assert (totals, sum(steps)) == ([frames], frames)
    assert found.opened == frames
    lines = {line.name: line for line in found.lines}
    assert [lines[name].verdict for name in counts] == ["ok", "ok", "ok"]
    assert lines["frames"].found == frames
    assert lines["query_tracklets_camera_1"].verdict == "not declared"
    for role in ("train", "query", "gallery"):
        for kind in ("tracklets", "frames"):
            cameras = [lines[f"{role}_{kind}_camera_{k}"].found or 0 for k in (1, 2)]
            assert sum(cameras) == lines[f"{role}_{kind}"].found


def test_check_data_names_all_that_differs_and_the_first_files(mars: Path) -> None:
    images = sorted((mars / "bbox_test").rglob("*.jpg"))
    images[0].unlink()
    images[1].write_bytes(images[1].read_bytes()[:200])
    images[2].write_bytes(b"")
    found = check_data(
        mars, layout="mars", counts={"train_persons": 5, "trains": 1}, cameras={"train_tracklets": (1, 1, 1)}, workers=2
    )
    assert not found.passed
    assert {"train_persons", "trains", "train_tracklets_camera_3"} <= {line.name for line in found.differing}
    assert found.problems[0] == (f"{images[0].relative_to(mars)}: missing",)
    assert "200 bytes" in found.problems[1][0]
    assert str(images[1]) in found.problems[1][0]
    assert "an empty file" in found.problems[1][1]
    quick = check_data(mars, layout="mars", counts={}, cameras={}, quick=True)
    assert (quick.opened, [len(p) for p in quick.problems]) == (0, [1, 0])


def test_check_data_opens_frames_in_parallel(mars: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting, opened = threading.Barrier(3), list[str]()  # with fewer threads than three, nobody ever comes through

    def open_one(data: DataFolder, name: str) -> tuple[int, int]:
        opened.append(name)
        if len(opened) <= 3:
            meeting.wait(timeout=20)
        return decoded_size(data, name)

    monkeypatch.setattr(check, "BATCH", 1)
    monkeypatch.setattr(check, "decoded_size", open_one)
    found = check_data(mars, layout="mars", counts={}, cameras={}, workers=3)
    assert found.passed
    assert sorted(opened) == sorted(str(path.relative_to(mars)) for path in mars.rglob("*.jpg"))


def test_check_data_two_cameras_count_the_first_split(tmp_path: Path) -> None:
    for layout in ("ilids-vid", "prid-2011"):
        spec = SPEC.model_copy(update={"distractors": 0, "junk": 0})
        root = render_dataset(spec, tmp_path / layout, layout=layout).folder
        found = count(read_layout(root, layout))
        half = found["persons"] // 2
        names = ("train_tracklets", "query_tracklets_camera_1", "gallery_tracklets_camera_1", "gallery_tracklets_camera_2")
        assert [found[name] for name in names] == [2 * half, half, 0, half]


def test_offending_shows_five_and_counts_the_others() -> None:
    assert offending(["a"] * 5) == ["a"] * 5
    assert offending(["a"] * 1006) == ["a"] * 5 + ["and 1,001 more"]


def test_check_command_prints_expected_found_verdict(project: Path) -> None:
    runner = CliRunner()
    runner.invoke(data, ["synth", "--dataset", "tiny-mars"], catch_exceptions=False)
    result = runner.invoke(data, ["check", "--dataset", "tiny-mars"], catch_exceptions=False)
    assert result.exit_code == 0
    lines = [line.split() for line in result.output.splitlines()]
    assert lines[0] == ["count", "expected", "found", "verdict"]
    assert ["train_persons", "8", "8", "ok"] in lines
    assert "tiny-mars is as declared" in result.output
    root = next((project / "data/synthetic/tiny-mars").iterdir())
    next((root / "bbox_train").rglob("*.jpg")).unlink()
    result = runner.invoke(data, ["check", "--dataset", "mars", "--root", str(root), "--quick"])
    assert isinstance(result.exception, InputError)
    assert "mars is not as declared" in str(result.exception)
    assert ": missing" in result.output
    assert ["train_persons", "625", "8", "DIFFERS"] in [line.split() for line in result.output.splitlines()]
    runner.invoke(data, ["synth", "--dataset", "tiny-ls-vid"], catch_exceptions=False)
    root = next((project / "data/synthetic/tiny-ls-vid").iterdir())
    result = runner.invoke(data, ["check", "--dataset", "ls-vid", "--root", str(root), "--quick"])
    for name, expected in (("train_frames", "550,419"), ("test_frames", "2,277,075")):  # what the paper alone reports counts too
        assert [name, expected, "128", "DIFFERS"] in [line.split() for line in result.output.splitlines()]


def test_check_data_every_layout_can_be_checked(tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"distractors": 0, "junk": 0})
    for layout in set(LAYOUTS) - {"folder"}:
        root = render_dataset(spec, tmp_path / layout, layout=layout).folder
        assert check_data(root, layout=layout, counts={"persons": 8}, cameras={}).passed
    buffer = io.BytesIO()
    Image.new("RGB", (4, 8)).save(buffer, "JPEG")
    for person in ("1", "2"):
        for camera in ("0", "1"):
            (tmp_path / "own" / person / camera).mkdir(parents=True)
            (tmp_path / "own" / person / camera / "0.jpg").write_bytes(buffer.getvalue())
    assert check_data(tmp_path / "own", layout="folder", counts={"persons": 2}, cameras={}).passed
