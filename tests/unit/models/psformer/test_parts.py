"""What the equations' tests do not see: solvers, ragged attention, matching, gradients, stages, fixed counts, mistakes."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from psformer_small import DEPTH, FRAMES, GRID, SMALL, make, make_clip, make_model
from torch.nn.functional import scaled_dot_product_attention

from reproid.errors import InputError
from reproid.models.psformer.losses import budget_loss
from reproid.models.psformer.matching import closest
from reproid.models.psformer.model import PSFormer
from reproid.models.psformer.options import read_options
from reproid.models.psformer.packing import attend, pack
from reproid.models.psformer.patches import Patches
from reproid.models.psformer.spectral import centre_prior, person_indicator, second_eigenvector, signed
from reproid.models.registry import create_model

# ---- the second eigenvector


def _affinities(kind: str, count: int = 12) -> torch.Tensor:
    """Return affinities of 16 x 8 patches: a blob on a background, or noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:16, :8]
    maps = []
    for _ in range(count):
        centre, size = rng.uniform(3, 12), rng.uniform(2, 4)
        blob = np.exp(-(((y - centre) / (2 * size)) ** 2) - ((x - 3.5) / size) ** 2).reshape(-1, 1)
        basis = rng.normal(size=(2, 64))
        noise = rng.normal(size=(128, 64)) * (0.3 if kind == "blob" else 3)
        maps.append(blob * basis[0] + (1 - blob) * basis[1] + noise)
    features = torch.from_numpy(np.stack(maps)).float()
    return (features @ features.mT).clamp(min=0)


def _laplacian(A: torch.Tensor) -> torch.Tensor:
    scale = A.sum(dim=-1).rsqrt()
    return torch.eye(A.shape[-1]).double() - scale[..., :, None] * A * scale[..., None, :]


@pytest.mark.parametrize("kind", ["blob", "noise"])
def test_second_eigenvector_has_the_second_eigenvalue_of_a_full_solver(kind: str) -> None:
    A = _affinities(kind)
    found = second_eigenvector(A, centre_prior((16, 8), A)).double() / 128**0.5
    L = _laplacian(A.double())
    values, vectors = torch.linalg.eigh(L)
    quotient = (found[..., None, :] @ L @ found[..., None])[..., 0, 0]
    assert torch.allclose(quotient, values[:, 1], atol=1e-3)
    assert torch.allclose(found.norm(dim=-1), torch.ones(()).double(), atol=1e-5)
    if kind == "blob":  # the eigenvalue stands alone, so the vector is one
        assert ((found * vectors[..., 1]).sum(dim=-1).abs() > 0.999).all()


def test_second_eigenvector_of_one_matrix_does_not_depend_on_the_others() -> None:
    A = _affinities("blob", 3)
    prior = centre_prior((16, 8), A)
    assert torch.allclose(second_eigenvector(A, prior)[1:2], second_eigenvector(A[1:2], prior), atol=1e-4)


def test_second_eigenvector_of_two_separate_parts_tells_them_apart() -> None:
    """The eigenvalue 0 is double then; y_1 is the second vector of that plane."""
    A = torch.zeros(6, 6)
    A[:2, :2] = A[2:, 2:] = 1
    found = second_eigenvector(A, torch.linspace(-1, 1, 6))
    assert torch.allclose(found[:2], found[:1].expand(2), atol=1e-4)
    assert torch.allclose(found[2:], found[2:3].expand(4), atol=1e-4)
    assert found[0] * found[5] < 0


@pytest.mark.parametrize("N", [2, 3, 8])
def test_second_eigenvector_of_few_nodes_is_the_full_solvers(N: int) -> None:
    A = torch.rand(N, N, generator=torch.Generator().manual_seed(N)).double()
    A = A + A.T
    found = second_eigenvector(A, torch.ones(N).double()) / N**0.5
    wanted = torch.linalg.eigh(_laplacian(A))[1][:, 1]
    assert float((found @ wanted).abs()) == pytest.approx(1, abs=1e-6)


def test_person_indicator_of_features_without_affinity_is_finite() -> None:
    features = torch.zeros(2, 128, 4)
    features[1, 5] = 1
    assert torch.isfinite(person_indicator(features, (16, 8))).all()


def test_person_indicator_has_its_sign_from_the_grid_alone() -> None:
    """Not from the features: the vector and its negative give the same; and a person in the middle is positive."""
    prior = centre_prior((16, 8), torch.zeros(()))
    vector = torch.randn(5, 128, generator=torch.Generator().manual_seed(0))
    assert torch.equal(signed(vector, prior), signed(-vector, prior))
    middle = torch.zeros(16, 8)
    middle[3:13, 2:6] = 1
    features = torch.stack([middle.flatten(), 1 - middle.flatten()], dim=-1)
    found = person_indicator(features + 0.1, (16, 8)).view(16, 8)
    assert (found[3:13, 2:6] > 0).all()
    assert (found[0] < 0).all()


# ---- ragged attention


@settings(deadline=None, max_examples=40)
@given(lengths=st.lists(st.integers(0, 9), min_size=1, max_size=8), seed=st.integers(0, 99))
def test_attend_is_attention_sequence_by_sequence(lengths: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    sequence = torch.from_numpy(rng.permutation(np.repeat(np.arange(len(lengths)), lengths)))
    qkv = torch.from_numpy(rng.normal(size=(len(sequence), 12)))
    found = attend(qkv, pack(sequence, lengths), heads=2)
    for member in range(len(lengths)):
        rows = qkv[sequence == member]
        if len(rows):
            q, k, v = rows.view(1, -1, 3, 2, 2).permute(2, 0, 3, 1, 4)
            wanted = scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(-1, 4)
            assert torch.allclose(found[sequence == member], wanted)


def test_pack_pads_little() -> None:
    lengths = [3, 100, 4, 90, 5, 7, 0, 40]
    packing = pack(torch.arange(8).repeat_interleave(torch.tensor(lengths)), lengths)
    assert sum(group.rows.numel() for group in packing.groups) < 1.15 * sum(lengths)


# ---- matching


@settings(deadline=None, max_examples=25)
@given(count=st.integers(0, 5), seed=st.integers(0, 99))
def test_closest_is_a_full_search(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    patches, store = (torch.from_numpy(rng.integers(0, 3, (2, n, 256), dtype=np.uint8)) for n in (4, 5))
    store[:, 1] = store[:, 0]  # equals: the first counts
    found = closest(patches, store, torch.tensor([count, 5]))
    difference = (patches[:, :, None].int() - store[:, None].int()).abs().sum(dim=3)
    assert torch.equal(found[1], difference[1].argmin(dim=1))
    assert torch.equal(found[0], difference[0, :, :count].argmin(dim=1) if count else torch.zeros(4, dtype=torch.int64))


# ---- gradients


def _moved(model: PSFormer, term: torch.Tensor) -> set[str]:
    """Return the parts, selection.score and the like, whose weights a term has a gradient for."""
    model.zero_grad(set_to_none=True)
    term.backward()
    names = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
    return {".".join(name.split(".")[: 3 if "backbone" in name else 2]) for name in names}


def test_gradient_of_the_feature_reaches_selection_blocks_and_both_warps() -> None:
    model = make_model(threshold=0.7).train()
    torch.manual_seed(0)
    output = model(make_clip())
    moved = _moved(model, output.features[0].square().sum())
    assert {"selection.score", "selection.volume", "encoder.patch_warp", "encoder.global_warp"} <= moved
    assert {"encoder.backbone.blocks", "encoder.backbone.pos_embed", "encoder.backbone.patch_embed"} <= moved


def test_gradient_of_the_error_constraint_reaches_contexts_and_global_warp_alone() -> None:
    model = make_model().train()
    torch.manual_seed(0)
    moved = _moved(model, model(make_clip()).losses["error"])
    assert moved == {
        "encoder.global_warp",
        "encoder.backbone.blocks",
        "encoder.backbone.pos_embed",
        "encoder.backbone.patch_embed",
    }


def test_gradient_of_the_budget_reaches_the_selection_alone() -> None:
    model = make_model(budget=0.1).train()
    torch.manual_seed(0)
    moved = _moved(model, model(make_clip()).losses["budget"])
    assert moved == {"selection.score", "selection.volume"}


def test_gradient_of_a_score_is_that_of_equation_1_times_the_gain_of_its_patch() -> None:
    """d feature / d s = (P - pseudo) / (N T) x the slope of Eq. 1, for a selected patch; 0 for another."""
    made = make()
    assert made.model.selection is not None
    assert made.model.encoder is not None
    encoder = made.model.encoder.train()
    selected = made.model.selection(made.patches)
    gate = selected.gate.detach().requires_grad_()
    feature = encoder(made.patches, replace(selected, gate=gate), threshold=2.0).feature
    (slope,) = torch.autograd.grad(feature[0, 0], gate)
    assert (slope[0, 1:][~selected.mask[0, 1:]] == 0).all()
    t, n = (int(at) for at in selected.mask[0, 1:].nonzero()[0])
    lowered = gate.detach().clone()
    lowered[0, t + 1, n] -= 0.5
    moved = encoder(made.patches, replace(selected, gate=lowered), threshold=2.0).feature[0, 0]
    assert float((feature[0, 0] - moved).detach()) == pytest.approx(0.5 * float(slope[0, t + 1, n]), rel=1e-6)


def test_gradient_passes_neither_the_indicator_nor_the_gate_of_routing() -> None:
    made = make()
    features = torch.randn(1, 12, 4, dtype=torch.float64, requires_grad=True)
    assert not person_indicator(features, GRID).requires_grad
    assert made.model.selection is not None
    assert made.model.encoder is not None
    encoded = made.model.encoder.train()(made.patches, made.model.selection(made.patches), threshold=0.5)
    assert all(not distance.requires_grad for distance in encoded.distances)
    assert encoded.feature.requires_grad


def test_noise_moves_decisions_in_training_and_never_in_a_test() -> None:
    made = make()
    assert made.model.selection is not None
    selection = made.model.selection
    assert torch.equal(selection(made.patches).mask, selection(made.patches).mask)
    selection.train()
    torch.manual_seed(0)
    first = selection(made.patches)
    assert not torch.equal(first.mask, selection(made.patches).mask)
    assert (first.gate.detach() == first.mask).all()


# ---- variants, stages, thresholds


def test_training_and_test_see_the_same_feature_without_noise() -> None:
    made = make()
    assert made.model.selection is not None
    assert made.model.encoder is not None
    selected = made.model.selection(made.patches)
    tested = made.model.encoder(made.patches, selected, threshold=0.6).feature
    trained = made.model.encoder.train()(made.patches, selected, threshold=0.6).feature
    assert torch.allclose(tested, trained)


def test_first_stage_is_the_transformer_on_all_patches() -> None:
    model = make_model(first_stage=0.5).train()
    model.begin_epoch(4, 10)
    moved = _moved(model, model(make_clip()).features[0].sum())
    assert {part.split(".")[0] for part in moved} == {"encoder"}
    assert not any("warp" in part for part in moved)
    first = model(make_clip()).features[0]
    whole = make_model(selection="all")
    whole.backbone.load_state_dict(model.backbone.state_dict())
    assert torch.allclose(whole.train()(make_clip()).features[0], first)
    model.begin_epoch(5, 10)
    assert "error" in model(make_clip()).losses


@pytest.mark.parametrize(("share", "epochs", "first"), [(0.5, 200, 100), (0.35, 200, 70), (0.65, 200, 130), (0.0, 200, 0)])
def test_first_stage_lasts_its_share_of_the_epochs(share: float, epochs: int, first: int) -> None:
    model = make_model(first_stage=share)
    stages = []
    for epoch in range(epochs):
        model.begin_epoch(epoch, epochs)
        stages.append(model.all_patches)
    assert stages == [True] * first + [False] * (epochs - first)


def test_threshold_changes_the_open_gates_and_no_weight() -> None:
    model, clip = make_model(), make_clip()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    opened = []
    for threshold in (0.0, 0.4, 0.8, 1.2, 2.0):
        model.threshold = threshold
        metrics = model(clip).metrics
        opened.append(sum(float(metrics[f"open_block_{at + 1}"]) for at in range(DEPTH)))
    assert opened == sorted(opened, reverse=True)
    assert opened[0] == DEPTH
    assert opened[-1] == 0
    assert len(set(opened)) > 2
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_metrics_are_the_kept_share_per_frame_and_the_open_share_per_block() -> None:
    made = make()
    assert made.model.selection is not None
    metrics = made.model(made.clip).metrics
    mask = made.model.selection(made.patches).mask
    assert list(metrics) == [*(f"kept_frame_{t + 1}" for t in range(FRAMES - 1)), *(f"open_block_{k + 1}" for k in range(DEPTH))]
    assert float(metrics["kept_frame_2"]) == pytest.approx(float(mask[:, 2].double().mean()))


@pytest.mark.parametrize(
    "options",
    [
        {"whole_i_frame": False},
        {"novelty": False},
        {"semantics": False},
        {"enhancement": False},
        {"progressive": False},
        {"context": "none"},
        {"context": "global"},
        {"context": "patch-wise"},
        {"gate": "random"},
        {"gate": "periodic", "gate_period": 2},
    ],
    ids=lambda options: "-".join(f"{name}={value}" for name, value in options.items()),
)
def test_variant_differs_from_the_method_and_repeats(options: dict[str, object]) -> None:
    model, clip = make_model(seed=1, **options), make_clip()
    first = model(clip).embedding
    assert torch.equal(first, model(clip).embedding)
    assert not torch.allclose(first, make_model(seed=1)(clip).embedding)
    torch.manual_seed(0)
    output = model.train()(clip)
    assert ("error" in output.losses) == (options.get("context", "routed") == "routed")
    output.features[0].sum().backward()
    assert torch.isfinite(output.features[0]).all()


@pytest.mark.parametrize("bias", [-1e6, 1e6], ids=["nothing", "everything"])
@pytest.mark.parametrize("whole", [True, False])
def test_extreme_selections_pass(bias: float, whole: bool) -> None:
    model = make_model(whole_i_frame=whole)
    assert model.selection is not None
    torch.nn.init.constant_(model.selection.score[-1].bias, bias)  # type: ignore[arg-type]
    for threshold in (0.0, 2.0):
        model.threshold = threshold
        output = model(make_clip())
        assert torch.isfinite(output.embedding).all()
        assert float(output.metrics["kept_frame_1"]) == (bias > 0)
    torch.manual_seed(0)
    assert torch.isfinite(model.train()(make_clip()).features[0]).all()


def test_patch_without_known_motion_is_warped_from_its_own_place() -> None:
    made = make()
    assert made.clip.valid is not None
    own = torch.arange(GRID[0] * GRID[1])
    assert (
        made.patches.source[~made.clip.valid.flatten(2)] == own.expand_as(made.patches.source)[~made.clip.valid.flatten(2)]
    ).all()


def test_budget_is_the_squared_distance_from_the_share_that_a_test_keeps() -> None:
    score = torch.tensor([[1.0, -1.0, -1.0, -0.2]], requires_grad=True)
    loss = budget_loss(score, 0.1)
    assert float(loss.detach()) == pytest.approx(0.15**2)
    loss.backward()
    assert score.grad is not None
    assert (score.grad > 0).all()  # fewer are wanted


# ---- mistakes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": 3}, r"option heads: out of range; expected a divisor of the width 8, got 3"),
        ({"local_grid": [3, 3]}, r"option local_grid: out of range; expected divisors of the grid \[4, 3\], got \[3, 3\]"),
        ({"cnn_channels": [1, 2]}, r"option cnn_channels: out of range; expected four numbers, each at least 1, got \[1, 2\]"),
        ({"first_stage": 1.0}, r"option first_stage: out of range; expected at least 0 and below 1.*got 1.0"),
        ({"novelty": False, "semantics": False, "progressive": False}, r"expected one of novelty, semantics and progressive"),
        ({"test_threshold": 3.0}, r"option test_threshold: out of range; expected a cosine distance, 0 to 2, got 3.0"),
        ({"error_samples": 1}, r"option error_samples: out of range; expected at least 2, got 1"),
    ],
    ids=["heads", "local grid", "channels", "stage", "no input", "threshold", "samples"],
)
def test_options_out_of_range_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        create_model("psformer", SMALL | options, classes=3, seed=0)


def test_clip_without_what_is_needed_is_refused() -> None:
    model, clip = make_model(), make_clip()
    with pytest.raises(InputError, match="clip without its group of pictures; expected a GOP, got no residual"):
        model(replace(clip, residual=None))
    with pytest.raises(InputError, match=r"expected 64x48 pixels, got 64x64\. .*or the option grid to \[4, 4\]"):
        model(replace(clip, frames=torch.zeros(1, 2, 3, 64, 64, dtype=torch.uint8)))
    with pytest.raises(InputError, match="expected clips.frames of at least 2, got 1"):
        model(replace(clip, frames=clip.frames[:, :1]))


def test_read_options_refuses_nothing_that_method_yaml_has() -> None:
    from reproid.catalog.methods import load_methods

    assert read_options(load_methods()["psformer"].resolve_options({}, where="test")).patches == 128


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_mixed_precision_passes_and_stays_near(training: bool, whole: bool) -> None:
    """As a GPU trains; decisions near 0 may differ, so only a model that keeps and opens everything is compared."""
    model = make_model(whole_i_frame=whole).float()
    assert model.selection is not None
    torch.nn.init.constant_(model.selection.score[-1].bias, 0.0 if training else 1e6)  # type: ignore[arg-type]
    model.threshold = 0.0
    clip = make_clip()
    torch.manual_seed(0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = model.train(training)(clip)
    assert torch.isfinite(output.embedding).all()
    if training:
        (output.features[0].float().sum() + output.losses["error"]).backward()
    else:
        assert torch.allclose(output.embedding, model(clip).embedding, rtol=0.1, atol=0.1)


# ---- batches


def test_selection_of_a_clip_does_not_depend_on_the_others() -> None:
    """One of them has nothing selected yet when the other has."""
    made = make()
    assert made.model.selection is not None
    last = made.model.selection.score[-1]
    assert isinstance(last, torch.nn.Linear)
    with torch.no_grad():
        last.bias -= made.model.selection(made.patches).score[:, 1].amax(dim=1).mean()
        together = made.model.selection(made.patches)
        assert together.mask[:, 1].any(dim=1).sum() == 1
        for at in range(2):
            parts = {field.name: getattr(made.patches, field.name)[at : at + 1] for field in fields(made.patches)}
            alone = made.model.selection(Patches(**parts))
            torch.testing.assert_close(alone.score[0], together.score[at])
            assert torch.equal(alone.mask[0], together.mask[at])
