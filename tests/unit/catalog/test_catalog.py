import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reproid.catalog.catalog import load_catalog, suite_names
from reproid.catalog.settings import Gop
from reproid.errors import InputError

Edit = Callable[[Path], None]


def replace(path: str, old: str, new: str) -> Edit:
    def edit(project: Path) -> None:
        text = (project / path).read_text()
        assert old in text
        (project / path).write_text(text.replace(old, new, 1))

    return edit


@pytest.mark.parametrize("suite", ["tiny", "demo", "paper"])
def test_load_catalog_shipped_suites_load(project: Path, suite: str) -> None:
    assert load_catalog(suite=suite).suite.name == suite


def test_load_catalog_below_the_project_finds_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "papers" / "psformer")
    assert load_catalog().root == project


def test_load_catalog_elsewhere_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPROID_ROOT", str(tmp_path))
    with pytest.raises(InputError, match="no ReproID project here; .*point REPROID_ROOT to one"):
        load_catalog()


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (
            replace("params.yaml", "suite: demo", "suite: dmo"),
            r"params\.yaml, key 'suite': unknown suite; .*Did you mean 'demo'\?",
        ),
        (replace("params.yaml", "epochs:", "epoch:"), r"params\.yaml, key 'overrides\.train\.epoch': .*Did you mean 'epochs'\?"),
        (replace("params.yaml", "epochs: null", "epochs: -1"), r"key 'overrides\.train\.epochs': .*got -1"),
        (replace("suites/demo.yaml", "mars: demo-mars", "mars: demo-marz"), r"unknown data set; .*Did you mean 'demo-mars'\?"),
        (
            replace("suites/demo.yaml", "psformer/table-1", "psformer/table1"),
            r"unknown table; .*Did you mean 'psformer/table-1'\?",
        ),
        (replace("suites/demo.yaml", "name: demo", "name: other"), "name differs from the file's; expected demo, got other"),
        (replace("datasets.yaml", "persons: 48", "persons: none"), r"datasets\.yaml, key 'datasets\.demo-mars\..*got 'none'"),
        (replace("papers/psformer/tables/table-1.yaml", "mars-standard", "mars-standart"), "unknown protocol; .*'mars-standard'"),
        (replace("papers/psformer/tables/table-1.yaml", "resnet50\n", "resnet5\n"), "unknown experiment; .*psformer/resnet50"),
        (
            replace("papers/psformer/tables/table-1.yaml", "[32.7, 94,", "[94,"),
            "8 printed numbers in row ResNet50 / ResNet50, found 7",
        ),
        (replace("papers/psformer/paper.yaml", "id: psformer", "id: psf"), "id differs .*; expected psformer, got psf"),
    ],
    ids=["suite", "key", "value", "data-set", "table", "suite-name", "spec", "protocol", "experiment", "printed", "paper-id"],
)
def test_load_catalog_mistake_names_file_and_nearest(project: Path, edit: Edit, match: str) -> None:
    edit(project)
    with pytest.raises(InputError, match=match):
        load_catalog()


def test_resolve_layers_later_ones_win(project: Path) -> None:
    paper = load_catalog(suite="paper").resolve("psformer/resnet50")
    assert (paper.train.epochs, paper.train.optimizer.lr, paper.clips.height) == (200, 5e-4, 256)
    assert paper.train.schedule.milestones == (40, 80, 120, 160)
    demo = load_catalog(suite="demo").resolve("psformer/resnet50")
    assert demo.clips.height < 256
    assert demo.train.optimizer.lr == 5e-4
    replace("params.yaml", "epochs: null", "epochs: 3")(project)
    assert load_catalog(suite="demo").resolve("psformer/resnet50").train.epochs == 3


def test_resolve_extended_experiment_changes_what_it_names_alone(project: Path) -> None:
    catalog = load_catalog(suite="paper")
    trained, untrained = catalog.resolve("psformer/resnet50"), catalog.resolve("controls/resnet50-untrained")
    assert untrained.train.epochs == 0
    assert trained == untrained.model_copy(update={"train": untrained.train.model_copy(update={"epochs": 200})})


def test_resolve_missing_method_raises_with_its_name(project: Path) -> None:
    with pytest.raises(InputError, match="unknown method; .*got 'stmn'"):
        load_catalog().resolve("psformer/stmn-resnet50")


def test_suite_names_lists_every_file(project: Path) -> None:
    assert suite_names(project) == ["demo", "paper", "synthetic", "synthetic-small", "tiny"]


def test_catalog_import_loads_neither_torch_nor_numpy() -> None:
    code = "import sys, reproid.catalog.plan, reproid.catalog.schema; print({'torch', 'numpy', 'pandas'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_resolve_gives_a_group_of_pictures_to_methods_that_require_one_alone(project: Path) -> None:
    replace("params.yaml", "  gop: # of methods that require groups of pictures\n    method: null", "  gop:\n    method: grid")(
        project
    )
    catalog = load_catalog()
    assert catalog.resolve("psformer/resnet50").gop is None  # though a layer over all methods names one
    method = catalog.methods["resnet50"].model_copy(update={"requires": frozenset({"gop"})})
    asking = dataclasses.replace(catalog, methods=catalog.methods | {"resnet50": method})
    assert asking.resolve("psformer/resnet50").gop == Gop(method="grid")
    assert asking.resolve("psformer/resnet50", scaled=False).gop == Gop()
