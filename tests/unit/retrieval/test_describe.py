import pytest

from reproid.catalog.protocols import get_protocol, load_protocols
from reproid.errors import InputError
from reproid.retrieval.describe import SHORT, describe, differences, protocol_comparison
from reproid.retrieval.evaluation import Options, evaluate, write_evaluation
from reproid.retrieval.inputs import read_embeddings
from reproid.retrieval.results import read_result

MARS = sorted(name for name in load_protocols() if name.startswith("mars-"))


@pytest.fixture
def results(tmp_path, embedding_file):
    file, options = read_embeddings(embedding_file), Options(resamples=50, threads=1)
    for name in MARS:
        write_evaluation(evaluate(file, get_protocol(name), options), tmp_path / f"{name}.json")
    return [read_result(tmp_path / f"{name}.json") for name in MARS]


@pytest.mark.parametrize("name", load_protocols(), ids=str)
def test_describe_every_protocol_is_sentences(name) -> None:
    text = describe(name)
    assert text.startswith(("The gallery", "Tracklets"))
    assert ".." not in text
    assert "  " not in text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mars-standard", ["holds the query tracklets", "the same camera are left out", "cosine", "mean of the precisions"]),
        ("mars-matlab-ap", ["trapezoids", "counted in it but left out"]),
        ("mars-gallery-9330", ["taken out of the gallery"]),
        ("mars-camera-misaligned", ["one entry per frame", "a defect of released code", "Euclidean"]),
        ("ilids-mean10", ["Queries from camera 1 and the gallery from camera 2", "the mean over 10 splits"]),
        ("ilids-split0", ["Only split 0 is scored"]),
        ("prid-mean10-dal-2018", ["mean over 10 splits of the split set dal-2018"]),
    ],
)  # fmt: skip
def test_describe_names_what_a_protocol_does(name, words) -> None:
    for word in words:
        assert word in describe(name)


def test_differences_cover_every_field_that_tells_a_family_apart() -> None:
    ignored = {"name", "revision", "summary", "used_by", "expected", "splits"}
    for protocol in load_protocols().values():
        standard = get_protocol(str(protocol.family))
        changed = {
            field for field in type(protocol).model_fields if getattr(protocol, field) != getattr(standard, field)
        } - ignored
        assert changed <= set(SHORT), protocol.name
        assert bool(differences(protocol, standard)) == bool(changed or protocol.splits != standard.splits)


def test_protocol_comparison_puts_the_standard_first_and_subtracts_it(results) -> None:
    rows = protocol_comparison(results)
    assert [row.protocol for row in rows] == ["mars-standard", *[name for name in MARS if name != "mars-standard"]]
    assert (rows[0].differs, rows[0].map_minus_standard, rows[0].rank1_minus_standard) == ((), 0.0, 0.0)
    by_name = {row.protocol: row for row in rows}
    assert by_name["mars-gallery-12180"].map_minus_standard == 0.0
    assert by_name["mars-matlab-ap"].map_minus_standard < 0
    assert by_name["mars-matlab-ap"].differs == ("junk counted in the gallery, ignored in rankings", "trapezoid AP")
    for result in results:
        assert by_name[result.protocol.name].map - rows[0].map == by_name[result.protocol.name].map_minus_standard


def test_protocol_comparison_without_its_standard_is_refused(results) -> None:
    others = [result for result in results if result.protocol.name == "mars-matlab-ap"]
    with pytest.raises(InputError, match="needs its standard; expected a metrics file of mars-standard, got mars-matlab-ap"):
        protocol_comparison(others)


def test_protocol_comparison_of_two_families_is_refused(tmp_path, embedding_file, results) -> None:
    write_evaluation(
        evaluate(read_embeddings(embedding_file), get_protocol("duke-standard"), Options(resamples=0)), tmp_path / "d.json"
    )
    with pytest.raises(InputError, match="expected one family, got duke-standard, mars-standard"):
        protocol_comparison([*results, read_result(tmp_path / "d.json")])
