"""The counts of the notes, from the real MARS labels: they depend on labels alone, so any distances will do."""

import numpy as np
import pytest
from scipy.io import loadmat

from reproid.catalog.protocols import get_protocol
from reproid.retrieval.evaluation import Options, evaluate
from reproid.retrieval.inputs import read_embeddings


@pytest.fixture(scope="module")
def mars(shared, tmp_path_factory):
    """The real test tracklets with two-number embeddings."""
    folder = shared / "metadata" / "mars"
    tracks = loadmat(folder / "tracks_test_info.mat")["track_test_info"].astype(np.int64)
    queries = loadmat(folder / "query_IDX.mat")["query_IDX"].ravel().astype(np.int64) - 1
    n = len(tracks)
    path = tmp_path_factory.mktemp("mars") / "embeddings.npz"
    np.savez(
        path,
        embeddings=np.random.default_rng(0).standard_normal((n, 2)).astype(np.float32),
        tracklet_ids=np.array([f"{i:05d}" for i in range(n)]),
        pids=tracks[:, 2],
        camids=tracks[:, 3] - 1,
        n_frames=tracks[:, 1] - tracks[:, 0] + 1,
        is_query=np.isin(np.arange(n), queries),
        is_gallery=np.ones(n, bool),
        sampling="dense",
        pooling="mean",
        frames_per_clip=4,
    )
    return read_embeddings(path)


@pytest.mark.parametrize(
    ("name", "gallery", "scored", "positives", "dropped"),
    [
        ("mars-standard", 11310, 1980, 11.02, {}),
        ("mars-gallery-12180", 12180, 1980, 11.02, {}),
        ("mars-matlab-ap", 12180, 1980, 11.02, {}),
        ("mars-gallery-9330", 9330, 1840, 8.47, 140),
        ("mars-camera-misaligned", 9330, 1518, None, 462),
    ],
)
def test_evaluate_mars_labels_give_the_counts_of_the_notes(mars, name, gallery, scored, positives, dropped) -> None:
    protocol = get_protocol(name)
    counts = evaluate(mars, protocol, Options(resamples=0, threads=1)).to_json()["counts"]
    assert (counts["queries"], counts["scored"], counts["gallery"]) == (1980, scored, gallery)
    assert sum(counts["dropped"].values()) == (dropped or 0)
    assert (protocol.expected.scored, protocol.expected.gallery) == (scored, gallery)
    if positives is not None:
        # The notes divide by all queries, the file by the scored ones.
        assert counts["positives_per_query"] * scored / 1980 == pytest.approx(positives, abs=0.005)


def test_evaluate_mars_misaligned_reads_every_gallery_camera_as_the_first(mars) -> None:
    evaluation = evaluate(mars, get_protocol("mars-camera-misaligned"), Options(resamples=0, threads=1))
    assert np.unique(evaluation.selection.gallery.camids).tolist() == [0]
    queries, gallery = mars.labels(evaluation.protocol)
    true_cameras = gallery.camids[evaluation.selection.gallery_rows]
    same_person = queries.pids[:, None] == evaluation.selection.gallery.pids
    same_camera = same_person & (queries.camids[:, None] == true_cameras)
    owners = np.repeat(np.arange(1980), evaluation.queries.positives)
    kept = np.zeros_like(same_camera)
    kept[owners, evaluation.ranks.matches] = True
    # Of the same-camera matches that the rule should remove, 76.8 % count as hits; they are 26.7 % of all hits.
    assert (kept & same_camera).sum() / same_camera.sum() == pytest.approx(0.768, abs=0.0005)
    assert (kept & same_camera).sum() / kept.sum() == pytest.approx(0.267, abs=0.0005)
