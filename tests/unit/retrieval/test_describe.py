import pytest

from reproid.catalog.protocols import get_protocol, load_protocols
from reproid.retrieval.describe import SHORT, describe, differences


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
