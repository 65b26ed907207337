from pathlib import Path

import pytest
from click.testing import CliRunner

from reproid.cli.data import data
from reproid.datasets.index import load_index
from reproid.errors import InputError
from reproid.synthetic.layouts import LAYOUTS

SMALL = ("train_persons=4", "test_persons=4", "cameras=2", "frames=[2, 3]", "distractors=1", "junk=1", "height=32", "width=16")
SETTINGS = [part for pair in SMALL for part in ("--set", pair)]


def _run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(data, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_synth_then_index_gives_a_loadable_index(tmp_path: Path) -> None:
    assert "rendered; " in _run("synth", *SETTINGS, "--out", tmp_path / "set")
    assert "there already; " in _run("synth", *SETTINGS, "--out", tmp_path / "set")
    out = _run("index", "--dataset", "mine", "--layout", "mars", "--root", tmp_path / "set", "--out", tmp_path / "index")
    assert "splits: official" in out
    assert load_index(tmp_path / "index").counts()["train_persons"] == 4


def test_synth_reads_a_spec_file_and_overrides_it(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("train_persons: 4\ntest_persons: 6\nheight: 32\nwidth: 16\nframes: [2, 3]\ncameras: 2\n")
    _run("synth", "--spec", spec, "--set", "test_persons=4", "--out", tmp_path / "set")
    assert '"test_persons": 4' in (tmp_path / "set/synthetic.json").read_text()


def test_synth_declared_set_goes_to_its_folder(project: Path) -> None:
    _run("synth", "--dataset", "tiny-mars")
    assert len(list((project / "data/synthetic/tiny-mars").glob("*/synthetic.json"))) == 1
    _run("index", "--dataset", "tiny-mars")
    assert load_index(next((project / "results/index/tiny-mars").iterdir())).dataset == "tiny-mars"


def test_sheet_writes_what_the_name_asks_for(tmp_path: Path) -> None:
    _run("synth", *SETTINGS, "--out", tmp_path / "set")
    _run("sheet", "--root", tmp_path / "set", "--out", tmp_path / "all.png")
    _run("sheet", "--root", tmp_path / "set", "--pid", "2", "--frames", "4", "--out", tmp_path / "one.gif")
    assert (tmp_path / "all.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "one.gif").read_bytes().startswith(b"GIF89a")
    with pytest.raises(InputError, match="unknown kind of picture; expected a name in .png or .jpg, or .gif .*got '.*all.bmp'"):
        _run("sheet", "--root", tmp_path / "set", "--out", tmp_path / "all.bmp")


def test_synth_leaves_a_contact_sheet_and_a_film_beside_the_set(tmp_path: Path) -> None:
    _run("synth", *SETTINGS, "--out", tmp_path / "set")
    assert (tmp_path / "set/sheet.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "set/person.gif").read_bytes().startswith(b"GIF89a")
    (tmp_path / "set/person.gif").unlink()
    _run("synth", *SETTINGS, "--out", tmp_path / "set")
    assert (tmp_path / "set/person.gif").exists()


def test_synth_help_says_what_it_can_render() -> None:
    text = " ".join(_run("synth", "--help").split())
    assert "8 to 2000 persons, seen by 2 to 15 cameras" in text
    assert all(layout in text.replace("- ", "-") for layout in LAYOUTS)  # a line may end within a name
    assert "--parameters" in text


def test_sheet_of_the_truth_needs_truth(tmp_path: Path) -> None:
    _run("synth", *SETTINGS, "--out", tmp_path / "plain")
    with pytest.raises(InputError, match="images.parquet: the set has no truth; .*Render one: --set truth=true"):
        _run("sheet", "--root", tmp_path / "plain", "--truth", "--out", tmp_path / "truth.png")
    _run("synth", *SETTINGS, "--set", "truth=true", "--out", tmp_path / "known")
    _run("sheet", "--root", tmp_path / "known", "--truth", "--out", tmp_path / "truth.png")
    assert (tmp_path / "truth.png").read_bytes().startswith(b"\x89PNG")


def test_synth_parameters_lists_every_one() -> None:
    out = _run("synth", "--parameters")
    assert "frames: [8, 24]" in out
    assert "near_twins: 0.15" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("synth", "--set", "camera=3", "--out", "x"), r"unknown key; .*got 'camera'. Did you mean 'cameras'\?"),
        (("synth", "--set", "cameras", "--out", "x"), "--set: not a pair; expected KEY=VALUE, got 'cameras'"),
        (
            ("synth", "--set", "cameras=1", "--out", "x"),
            "key 'cameras': invalid value; expected greater than or equal to 2, got 1",
        ),
        (("synth", "--set", "frames=[1", "--out", "x"), r"--set frames: not a YAML value; got '\[1'"),
        (("synth",), "--out: no folder given"),
        (("synth", "--dataset", "tiny-mars", "--set", "seed=1"), "--dataset takes no --spec, --set or --layout"),
        (("synth", "--dataset", "mars"), "'mars' is not a synthetic data set"),
        (("index", "--dataset", "marss"), r"datasets.yaml: unknown data set; .*Did you mean 'mars'\?"),
        (("index", "--dataset", "mars"), "mars: data missing; expected the folder"),
        (
            ("index", "--dataset", "mars", "--layout", "mars", "--root", ".", "--count", "persons=many"),
            "--count persons: not a count; expected a whole number, got 'many'",
        ),
    ],
    ids=["key", "pair", "value", "yaml", "no folder", "both", "real", "name", "missing", "count"],
)
def test_data_user_mistake_is_one_line(project: Path, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _run(*arguments)
    assert not (project / "x").exists()


def test_index_interrupted_set_is_refused(tmp_path: Path) -> None:
    _run("synth", *SETTINGS, "--out", tmp_path / "set")
    (tmp_path / "set/synthetic.json").unlink()
    with pytest.raises(InputError, match="the synthetic set is not complete. Run the same reproid data synth again"):
        _run("index", "--dataset", "mine", "--layout", "mars", "--root", tmp_path / "set", "--out", tmp_path / "index")
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize("command", ["synth", "index", "sheet"])
def test_data_help_shows_examples(command: str) -> None:
    assert "Examples:" in _run(command, "--help")
