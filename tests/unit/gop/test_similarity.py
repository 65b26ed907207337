import numpy as np
import pytest
import torch

from reproid.gop.similarity import Measure, PatchSet, hadamard, patch_distances, patches_of

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
HADAMARD = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])


def made(seed: int, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (*shape, 3, 16, 16)).astype(np.uint8))


def plain_distance(one: np.ndarray, other: np.ndarray, measure: str) -> int:
    """Brute force: block by block, as the codec's own loops."""
    difference = one.astype(np.int64) - other.astype(np.int64)
    if measure == "sad":
        return int(np.abs(difference).sum())
    total = 0
    for channel in difference:
        for y in range(0, 16, 4):
            for x in range(0, 16, 4):
                total += int(np.abs(HADAMARD @ channel[y : y + 4, x : x + 4] @ HADAMARD).sum()) // 2
    return total


@pytest.mark.parametrize("measure", ["sad", "satd"])
def test_patch_distances_equal_brute_force(measure: Measure) -> None:
    patches, others = made(1, 2, 4), made(2, 2, 5)
    others[1, 3], others[0, 0], patches[0, 0] = patches[1, 2], 255, 0
    distances = patch_distances(patches, others, measure=measure)
    assert distances.shape == (2, 4, 5)
    for b in range(2):
        expected = [[plain_distance(p, q, measure) for q in others[b].numpy()] for p in patches[b].numpy()]
        np.testing.assert_array_equal(distances[b], expected)
    assert distances[1, 2, 3] == 0


def test_hadamard_transforms_each_block_of_four() -> None:
    patch = made(3)[0]
    expected = HADAMARD @ patch[4:8, 8:12].numpy().astype(np.int64) @ HADAMARD
    np.testing.assert_array_equal(
        np.sort(np.abs(hadamard(patch)[4:8, 8:12].numpy()), axis=None), np.sort(np.abs(expected), axis=None)
    )


def test_patches_of_counts_row_by_row() -> None:
    frames = torch.arange(2 * 3 * 33 * 50).reshape(2, 3, 33, 50)
    patches = patches_of(frames)
    assert patches.shape == (2, 6, 3, 16, 16)
    assert torch.equal(patches[1, 4], frames[1, :, 16:32, 16:32])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("measure", ["sad", "satd"])
def test_patch_set_growing_equals_brute_force(measure: Measure, device: str) -> None:
    rng = np.random.default_rng(4)
    chosen = PatchSet(2, measure=measure)
    inside: list[list[tuple[int, np.ndarray]]] = [[], []]
    for frame in range(4):
        patches = made(10 + frame, 2, 6)
        if frame == 2:
            patches[0, 5] = torch.from_numpy(inside[0][0][1])  # seen before: distance 0
        match = chosen.nearest(patches.to(device))
        for b in range(2):
            for n in range(6):
                patch = patches[b, n].numpy()
                found = float(match.distance[b, n]), int(match.place[b, n])
                if not inside[b]:
                    assert found == (np.inf, -1)
                    np.testing.assert_array_equal(match.residual[b, n].cpu(), patch)
                    continue
                distance, place, best = min(
                    (plain_distance(patch, one, measure), place, k) for k, (place, one) in enumerate(inside[b])
                )
                assert found == (distance, place)
                np.testing.assert_array_equal(match.residual[b, n].cpu(), patch.astype(np.float32) - inside[b][best][1])
        selected = torch.from_numpy(rng.random((2, 6)) < 0.5)
        selected[1] &= frame > 1  # the second clip's set stays empty for long
        chosen.add(patches.to(device), selected.to(device))
        for b in range(2):
            inside[b] += [(6 * frame + n, patches[b, n].numpy()) for n in range(6) if selected[b, n]]


def test_patch_set_unknown_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="measure must be 'sad' or 'satd', got 'mse'"):
        patch_distances(made(1, 2), made(2, 2), measure="mse")  # type: ignore[arg-type]
