from pathlib import Path

import pytest

from reproid.catalog.methods import Method, Option, load_methods
from reproid.errors import InputError

METHOD = Method(
    name="toy",
    title="Toy",
    revision=1,
    source="none",
    options={
        "depth": Option(default=4, doc="blocks"),
        "rate": Option(default=0.5, doc="share"),
        "flag": Option(default=True, doc="switch"),
        "layers": Option(default=[3, 4], doc="per stage"),
        "stride": Option(default=1, doc="last stride", choices=(1, 2)),
        "weights": Option(default=None, doc="checkpoint"),
        "start": Option(default="imagenet", doc="checkpoint or null"),
    },
)


def test_resolve_options_given_over_defaults_is_complete() -> None:
    resolved = METHOD.resolve_options({"depth": 2, "rate": 1, "start": None}, where="here")
    assert resolved == {"depth": 2, "rate": 1, "flag": True, "layers": [3, 4], "stride": 1, "weights": None, "start": None}


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"dept": 2}, r"here, option 'dept' of method 'toy': unknown option; .*Did you mean 'depth'\?"),
        ({"depth": 2.5}, r"option 'depth'.*expected the type of the default 4, got 2\.5"),
        ({"depth": True}, "option 'depth'.*got True"),
        ({"flag": 1}, "option 'flag'.*got 1"),
        ({"layers": [1, "a"]}, "option 'layers'"),
        ({"stride": 3}, "option 'stride'.*expected one of: 1, 2, got 3"),
        ({"weights": 3}, "option 'weights'.*expected a text or null, got 3"),
    ],
    ids=["unknown", "float-for-int", "bool-for-int", "int-for-bool", "item", "choice", "null-default"],
)
def test_resolve_options_mistake_names_option_and_value(given: dict, match: str) -> None:
    with pytest.raises(InputError, match=match):
        METHOD.resolve_options(given, where="here")


def test_load_methods_folder_of_another_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "method.yaml").write_text("{name: b, title: B, revision: 1, source: none}")
    with pytest.raises(InputError, match=r"method\.yaml: name differs from the folder; expected 'a', got 'b'"):
        load_methods(tmp_path)


def test_load_methods_shipped_includes_resnet50() -> None:
    assert "resnet50" in load_methods()
