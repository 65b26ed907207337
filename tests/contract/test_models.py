"""What every method must do. A new method takes part by its method.yaml; it adds small options and golden numbers here."""

import importlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reproid.catalog.methods import load_methods
from reproid.catalog.settings import Loss
from reproid.clips.clip import Clip
from reproid.models.base import ClipModel, Output
from reproid.models.checkpoint import load_into, load_tensors, save_tensors
from reproid.models.registry import create_model
from reproid.training.losses import loss_terms

# Options that make a method small enough for a test; a method whose defaults are small needs no entry.
SMALL: dict[str, dict[str, Any]] = {
    "psformer": {
        "width": 16,
        "depth": 2,
        "heads": 2,
        "grid": [4, 2],
        "pretrained": None,
        "cnn_channels": [2, 3, 4, 5],
        "score_width": 6,
        "warp_width": 5,
        "local_grid": [2, 2],
    },
    "resnet50": {"layers": [1, 1, 2, 1], "channels": [4, 8, 8, 16], "pretrained": None},
    "vit": {"width": 16, "depth": 2, "heads": 2, "grid": [4, 2], "pretrained": None},
}
GOLDEN = Path(__file__).parent / "golden.json"
B, T, H, W, CLASSES, PARTS = 4, 3, 64, 32, 5, 6
NAMES = sorted(load_methods())


@dataclass(frozen=True)
class Case:
    name: str
    model: ClipModel
    clip: Clip


def _model(name: str, seed: int = 0) -> ClipModel:
    return create_model(name, SMALL.get(name, {}), classes=CLASSES, seed=seed)


def _clip(name: str) -> Clip:
    """Return two persons twice, with whatever the method requires beside frames."""
    generator = torch.Generator().manual_seed(1)
    clip = Clip(
        frames=torch.randint(0, 256, (B, T, 3, H, W), dtype=torch.uint8, generator=generator),
        pid=torch.tensor([3, 3, 8, 8]),
        camid=torch.tensor([0, 1, 0, 1]),
        n_real=torch.tensor([3, 3, 2, 3]),
        tracklet_id=tuple("abcd"),
        erased=torch.zeros(B, T, dtype=torch.bool),
    )
    h, w = H // 16, W // 16
    requires = load_methods()[name].requires
    if "gop" in requires:
        clip = replace(
            clip,
            motion=torch.randn(B, T - 1, 2, h, w, generator=generator),
            valid=torch.rand(B, T - 1, h, w, generator=generator) < 0.9,
            index=torch.randint(0, h * w, (B, T - 1, h, w), generator=generator),
            residual=10 * torch.randn(B, T - 1, 3, H, W, generator=generator),
        )
    if "heatmaps" in requires:
        clip = replace(clip, heatmaps=torch.rand(B, T, PARTS, h, w, generator=generator))
    return clip


@pytest.fixture(params=NAMES)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param, _model(request.param), _clip(request.param))


def _loss(output: Output) -> torch.Tensor:
    return torch.stack(list(loss_terms(output, torch.tensor([0, 0, 1, 1]), Loss()).values())).sum()


def _in_eval(model: ClipModel, clip: Clip) -> torch.Tensor:
    with torch.inference_mode():
        return model.eval()(clip).embedding


def test_forward_in_train_mode_fills_the_output(case: Case) -> None:
    output = case.model.train()(case.clip)
    assert output.embedding.shape == (B, case.model.embedding_dim)
    assert output.logits, "cross-entropy needs logits"
    assert all(logits.shape == (B, CLASSES) for logits in output.logits)
    assert all(len(feature) == B and feature.ndim == 2 for feature in output.features)
    assert all(term.ndim == 0 for term in output.losses.values())
    assert torch.isfinite(_loss(output))


def test_forward_in_eval_mode_gives_the_embedding_alone(case: Case) -> None:
    with torch.inference_mode():
        output = case.model.eval()(case.clip)
    assert output.embedding.shape == (B, case.model.embedding_dim)
    assert output.embedding.dtype == torch.float32
    assert torch.isfinite(output.embedding).all()
    assert (output.logits, output.features, output.losses) == ((), (), {})


def test_backward_reaches_every_trainable_parameter(case: Case) -> None:
    optimizer = torch.optim.SGD([p for p in case.model.parameters() if p.requires_grad], lr=0.01)
    for _ in range(2):  # after one step no weight is at a starting value of zero that would hide those before it
        optimizer.zero_grad()
        _loss(case.model.train()(case.clip)).backward()
        optimizer.step()
    lost = [name for name, p in case.model.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())]
    assert not lost


def test_create_model_same_seed_gives_same_weights_and_another_does_not(case: Case) -> None:
    again, other = _model(case.name).state_dict(), _model(case.name, seed=1).state_dict()
    own = case.model.state_dict()
    assert all(torch.equal(own[name], again[name]) for name in own)
    assert any(not torch.equal(own[name], other[name]) for name in own)


def test_forward_twice_gives_the_same_bytes(case: Case) -> None:
    assert torch.equal(_in_eval(case.model, case.clip), _in_eval(case.model, case.clip))


def test_forward_leaves_the_clip_alone(case: Case) -> None:
    case.model.train()(case.clip)
    assert torch.equal(case.clip.frames, _clip(case.name).frames)


def test_embedding_in_eval_mode_does_not_depend_on_the_batch(case: Case) -> None:
    _train_a_little(case)
    together = _in_eval(case.model, case.clip)
    values = {name: getattr(case.clip, name) for name in case.clip.__dataclass_fields__}
    for i in range(B):
        one = Clip(**{name: value if value is None else value[i : i + 1] for name, value in values.items()})
        assert torch.allclose(_in_eval(case.model, one), together[i : i + 1], atol=1e-5)


def test_embedding_depends_on_the_frames(case: Case) -> None:
    _train_a_little(case)
    black = replace(case.clip, frames=torch.zeros_like(case.clip.frames))
    assert not torch.allclose(_in_eval(case.model, case.clip), _in_eval(case.model, black), atol=1e-3)


def test_weights_survive_the_file(case: Case, tmp_path: Path) -> None:
    _train_a_little(case)
    save_tensors(tmp_path / "model.safetensors", case.model.state_dict(), {})
    other = _model(case.name, seed=1)
    load_into(other, load_tensors(tmp_path / "model.safetensors")[0], where="file")
    assert torch.equal(_in_eval(other, case.clip), _in_eval(case.model, case.clip))


def test_options_every_declared_choice_builds_a_model(case: Case) -> None:
    """Each choice that method.yaml offers must be one that the code takes."""
    for name, option in load_methods()[case.name].options.items():
        for choice in option.choices or ():
            model = create_model(case.name, SMALL.get(case.name, {}) | {name: choice}, classes=CLASSES, seed=0)
            assert _in_eval(model, case.clip).shape == (B, model.embedding_dim)


def test_options_declared_are_those_that_the_code_reads(case: Case) -> None:
    class Recorded(dict[str, Any]):
        read: set[str] = set()

        def __getitem__(self, key: str) -> Any:
            self.read.add(key)
            return super().__getitem__(key)

    method = load_methods()[case.name]
    options = Recorded(method.resolve_options(SMALL.get(case.name, {}), where="test"))
    importlib.import_module(f"reproid.models.{case.name}").build(options, classes=CLASSES)
    assert options.read == method.options.keys() - {"pretrained"}  # which the registry reads


def test_option_pretrained_has_code_that_loads(case: Case) -> None:
    declared = "pretrained" in load_methods()[case.name].options
    assert declared == (type(case.model).load_pretrained is not ClipModel.load_pretrained)


def test_golden_numbers_hold_for_the_revision(case: Case) -> None:
    """If this fails on purpose, raise the method's revision and write its new numbers into golden.json."""
    key = f"{case.name}/{load_methods()[case.name].revision}"
    golden = json.loads(GOLDEN.read_text())
    found = golden_numbers(case)
    assert key in golden, f"add to {GOLDEN.name}: {json.dumps({key: found})}"
    assert found == pytest.approx(golden[key], abs=1e-5)


def golden_numbers(case: Case) -> list[float]:
    """Return the loss of a batch, then six numbers of an embedding.

    In double precision and with weights from NumPy, whose generator is the same everywhere: the rounding of another processor
    must not show.
    """
    _refill(case.model.double())
    torch.manual_seed(0)
    with torch.no_grad():
        loss = _loss(case.model.train()(case.clip)).item()
    embedding = _in_eval(case.model, case.clip)
    picks = embedding.flatten()[:: max(1, embedding.numel() // 6)][:6]
    return [round(value, 6) for value in [loss, *picks.tolist()]]


def _refill(model: ClipModel) -> None:
    rng = np.random.default_rng(0)
    for _, parameter in sorted(model.named_parameters()):
        mean, spread = round(parameter.mean().item(), 2), round(parameter.std(correction=0).item(), 3)
        parameter.data.copy_(torch.from_numpy(rng.normal(mean, spread or 0.1, size=tuple(parameter.shape))))


def _train_a_little(case: Case) -> None:
    """Move running means and zero-initialised weights away from where they start."""
    optimizer = torch.optim.SGD([p for p in case.model.parameters() if p.requires_grad], lr=0.01)
    torch.manual_seed(0)
    for _ in range(2):
        optimizer.zero_grad()
        _loss(case.model.train()(case.clip)).backward()
        optimizer.step()
