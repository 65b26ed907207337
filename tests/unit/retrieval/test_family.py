"""One file under every protocol of a family."""

from dataclasses import replace

import numpy as np
import pytest

from reproid.catalog.protocols import family_of, get_protocol, load_protocols
from reproid.files import read_json
from reproid.retrieval.evaluation import Options, evaluate
from reproid.retrieval.family import Skipped, score_family, write_family
from reproid.retrieval.inputs import read_distances, read_embeddings

QUICK = Options(resamples=50, threads=1)
MARS = sorted(name for name in load_protocols() if name.startswith("mars-"))


def test_family_of_puts_the_standard_first_whichever_member_is_named() -> None:
    names = [protocol.name for protocol in family_of("mars-matlab-ap")]
    assert names == ["mars-standard", *[name for name in MARS if name != "mars-standard"]]
    assert [protocol.name for protocol in family_of("mars-standard")] == names
    assert {one.name for name in load_protocols() for one in family_of(name)} == set(load_protocols())


@pytest.mark.parametrize("known", ["mars-standard", "mars-gallery-9330"])
def test_score_family_gives_each_protocol_what_it_gives_alone(tmp_path, embedding_file, known) -> None:
    source = read_embeddings(embedding_file)
    family = score_family(source, evaluate(source, get_protocol(known), QUICK), QUICK)
    write_family(family, tmp_path / "family.json")
    content = read_json(tmp_path / "family.json")
    assert (content["family"], content["skipped"]) == ("mars-standard", [])
    assert [row["protocol"]["name"] for row in content["protocols"]] == [one.name for one in family_of(known)]
    for row in content["protocols"]:
        alone = evaluate(source, get_protocol(row["protocol"]["name"]), QUICK).to_json()
        assert {key: alone[key] for key in row if key != "protocol"} == {key: row[key] for key in row if key != "protocol"}
    by_name = {row["protocol"]["name"]: row for row in content["protocols"]}
    assert by_name["mars-gallery-12180"]["map"] == by_name["mars-standard"]["map"]
    assert len({row["map"] for row in content["protocols"]}) >= 5


def test_score_family_names_the_protocols_that_a_file_cannot_be_scored_under(distance_file) -> None:
    source = read_distances(distance_file)  # says neither which gallery tracklets are queries nor how long tracklets are
    family = score_family(source, evaluate(source, get_protocol("mars-standard"), QUICK), QUICK)
    assert [one.protocol.name for one in family.scored][:2] == ["mars-standard", "mars-gallery-12180"]
    skipped = {one.protocol: one.reason for one in family.skipped}
    assert set(skipped) == {"mars-gallery-9330", "mars-gallery-9330-euclidean", "mars-camera-misaligned"}
    assert skipped["mars-gallery-9330"].startswith("protocol mars-gallery-9330 takes the queries out of the gallery; expected an")


@pytest.mark.parametrize(("split", "skipped"), [("0", ()), ("3", ("ilids-split0",))], ids=["split 0", "split 3"])
def test_score_family_scores_a_protocol_of_one_split_on_that_split_alone(tmp_path, split, skipped) -> None:
    rng, pids = np.random.default_rng(1), np.arange(10)
    labels = {"q_pids": pids, "g_pids": pids, "q_camids": np.zeros(10, int), "g_camids": np.ones(10, int)}
    np.savez(tmp_path / "d.npz", distances=rng.random((10, 10)), **labels)
    source = read_distances(tmp_path / "d.npz")
    source = replace(source, made=replace(source.made, split=split))
    family = score_family(source, evaluate(source, get_protocol("ilids-mean10"), QUICK), QUICK)
    expected = (Skipped(protocol=name, reason=f"protocol {name} scores one split; expected split 0, got 3.") for name in skipped)
    assert family.skipped == tuple(expected)
