"""Every row of PSFormer's tables and figures whose method there is: steps at a small size, in each stage, and a test."""

import pytest
import torch

from reproid.catalog.catalog import full_name, load_catalog
from reproid.catalog.plan import plan_table
from reproid.clips.clip import Clip
from reproid.models.psformer.model import PSFormer
from reproid.models.registry import create_model
from reproid.training.loop import train_step
from reproid.training.losses import loss_terms
from reproid.training.optimisation import make_optimizer

SMALL = {"width": 16, "heads": 2, "grid": [4, 2], "pretrained": None, "warp_width": 5, "local_grid": [2, 2]}
SMALL |= {"cnn_channels": [2, 3, 4, 5], "score_width": 6}
SMALL_OTHERS = {
    "resnet50": {"layers": [1, 1, 1, 1], "channels": [4, 4, 8, 16], "pretrained": None},
    "vit": {"width": 16, "heads": 2, "grid": [4, 2], "pretrained": None},
}
CATALOG = load_catalog(suite="paper")
TABLES = CATALOG.papers["psformer"].tables
METHODS = {
    name: CATALOG.method_of(name)
    for name in sorted({full_name("psformer", row.experiment) for table in TABLES.values() for row in table.rows})
}
ROWS = [name for name, method in METHODS.items() if method == "psformer"]
OTHERS = [name for name, method in METHODS.items() if method in CATALOG.methods and method != "psformer"]


def _clip() -> Clip:
    generator = torch.Generator().manual_seed(0)
    return Clip(
        frames=torch.randint(0, 256, (4, 3, 3, 64, 32), dtype=torch.uint8, generator=generator),
        pid=torch.tensor([0, 0, 1, 1]),
        camid=torch.zeros(4, dtype=torch.int64),
        n_real=torch.full((4,), 3),
        tracklet_id=tuple("abcd"),
        motion=torch.zeros(4, 2, 2, 4, 2),
        valid=torch.ones(4, 2, 4, 2, dtype=torch.bool),
        index=torch.randint(0, 8, (4, 2, 4, 2), generator=generator),
        residual=20 * torch.randn(4, 2, 3, 64, 32, generator=generator),
    )


def test_tables_are_all_there() -> None:
    assert TABLES.keys() == {f"table-{number}" for number in range(1, 11)} | {"figure-5"}
    assert CATALOG.papers["psformer"].figures.keys() == {f"figure-{number}" for number in (2, 3, 4, 6)}
    assert len(ROWS) == 33


@pytest.mark.parametrize("name", ROWS)
def test_row_takes_a_step_of_each_stage_and_a_test(name: str) -> None:
    settings = CATALOG.resolve(name)
    depth = min(settings.options["depth"], 4)  # the periodic gate opens in the fourth block
    model = create_model("psformer", settings.options | SMALL | {"depth": depth}, classes=2, seed=0)
    assert isinstance(model, PSFormer)
    optimizer = make_optimizer(model, settings.train.optimizer)
    labels = torch.tensor([0, 0, 1, 1])
    torch.manual_seed(0)
    for epoch in (0, settings.train.epochs - 1):
        before = {key: value.clone() for key, value in model.state_dict().items()}
        model.train().begin_epoch(epoch, settings.train.epochs)
        train_step(model, optimizer, _clip(), labels, settings.train, place="test")
        moved = {key.split(".")[0] for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
        assert ("selection" in moved) == (not model.all_patches)
    assert model.all_patches == (settings.options["selection"] == "all")
    with torch.inference_mode():
        embedding = model.eval()(_clip()).embedding
    assert embedding.shape == (4, 16)
    assert torch.isfinite(embedding).all()


@pytest.mark.parametrize("name", OTHERS)
def test_row_of_another_method_takes_a_step_and_a_test(name: str) -> None:
    settings = CATALOG.resolve(name)
    small = SMALL_OTHERS[settings.method] | ({"depth": 2} if settings.method == "vit" else {})
    model = create_model(settings.method, settings.options | small, classes=2, seed=0)
    before = {key: value.clone() for key, value in model.named_parameters()}
    optimizer = make_optimizer(model, settings.train.optimizer)
    train_step(model.train(), optimizer, _clip(), torch.tensor([0, 0, 1, 1]), settings.train, place="test")
    assert any(not torch.equal(value, before[key]) for key, value in model.named_parameters())
    with torch.inference_mode():
        embedding = model.eval()(_clip()).embedding
    assert embedding.shape == (4, model.embedding_dim)
    assert torch.isfinite(embedding).all()


def test_rows_without_a_method_plan_no_run() -> None:
    missing = {name for name, method in METHODS.items() if method not in CATALOG.methods}
    assert missing == METHODS.keys() - {*ROWS, *OTHERS}
    for table in (name for name in CATALOG.suite.tables if name.startswith("psformer/")):
        for row in plan_table(CATALOG, table).cells:
            if full_name("psformer", row[0].row.experiment) in missing:
                assert {(cell.reason, cell.metrics, cell.cost) for cell in row} == {("method missing", (), None)}


@pytest.mark.parametrize("number", range(1, 11))
def test_table_prints_a_number_in_every_row(number: int) -> None:
    assert all(row.printed for row in TABLES[f"table-{number}"].rows)


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("psformer-b", {"cross_entropy", "triplet", "error"}),
        ("without-cross-entropy", {"triplet", "error"}),
        ("without-triplet", {"cross_entropy", "error"}),
        ("without-error", {"cross_entropy", "triplet"}),
        ("psformer-b-budget", {"cross_entropy", "triplet", "error", "budget"}),
    ],
)
def test_loss_of_a_row_has_its_terms(name: str, terms: set[str]) -> None:
    settings = CATALOG.resolve(f"psformer/{name}")
    model = create_model("psformer", settings.options | SMALL | {"depth": 2}, classes=2, seed=0)
    output = model.train()(_clip())
    assert loss_terms(output, torch.tensor([0, 0, 1, 1]), settings.train.loss).keys() == terms


def test_weight_of_the_error_constraint_is_the_rows() -> None:
    clip, labels = _clip(), torch.tensor([0, 0, 1, 1])
    output = create_model("psformer", SMALL | {"depth": 2}, classes=2, seed=0).train()(clip)
    one, three = (
        loss_terms(output, labels, CATALOG.resolve(f"psformer/{name}").train.loss)["error"]
        for name in ("psformer-b", "error-weight-3")
    )
    assert float(three.detach()) == pytest.approx(3 * float(one.detach()))


def test_thresholds_change_nothing_in_training() -> None:
    ours, other = (CATALOG.resolve(f"psformer/{name}") for name in ("psformer-b", "threshold-0.9"))
    models = [create_model("psformer", one.options | SMALL | {"depth": 2}, classes=2, seed=0).train() for one in (ours, other)]
    features = []
    for model in models:
        torch.manual_seed(0)
        features.append(model(_clip()).features[0])
    assert torch.equal(*features)
    assert ours.train == other.train


def test_epochs_of_the_stages_are_those_of_table_10() -> None:
    for row in TABLES["table-10"].rows:
        settings = CATALOG.resolve(full_name("psformer", row.experiment))
        first = round(settings.options["first_stage"] * settings.train.epochs)
        assert (first, settings.train.epochs - first) == tuple(map(int, row.labels))
