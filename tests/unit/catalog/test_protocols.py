import subprocess
import sys

import pytest

from reproid.catalog.protocols import get_protocol, load_protocols, read_protocol
from reproid.errors import InputError

NAMED_IN_THE_NOTES = {
    "mars-standard", "mars-gallery-9330", "mars-gallery-12180", "mars-matlab-ap", "mars-camera-misaligned", "ilids-mean10",
    "ilids-split0", "prid-mean10", "prid-mean10-dal-2018", "lsvid-gallery-7829", "lsvid-gallery-11333", "duke-standard",
}  # fmt: skip
MINIMAL = "name: {name}\nrevision: 1\nsummary: s\ngallery: with-queries\n"


def test_load_protocols_holds_every_variant_of_the_notes() -> None:
    protocols = load_protocols()
    assert set(protocols) >= NAMED_IN_THE_NOTES
    assert list(protocols) == sorted(protocols)


def test_load_protocols_imports_no_numpy() -> None:
    code = "import sys; from reproid.catalog.protocols import load_protocols as load; load(); "
    code += "print(sorted({'numpy', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_load_protocols_family_is_a_protocol_of_the_same_data_set() -> None:
    protocols = load_protocols()
    for protocol in protocols.values():
        assert protocols[str(protocol.family)].dataset == protocol.dataset, protocol.name


def test_get_protocol_unknown_suggests_the_nearest() -> None:
    with pytest.raises(
        InputError,
        match=r"unknown protocol; expected one of: .*mars-standard.*got 'mars-standart'. Did you mean 'mars-standard'\?",
    ):
        get_protocol("mars-standart")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "name: other\nrevision: 1\nsummary: s\ngallery: as-given\n",
            "not named after its protocol; expected name: mine, got other",
        ),
        (MINIMAL.format(name="mine") + "ap: steps\n", r"key 'ap': invalid value; expected 'step' or 'trapezoid', got 'steps'"),
        (MINIMAL.format(name="mine") + "tie: x\n", r"unknown key; .*got 'tie'. Did you mean 'ties'\?"),
        (
            MINIMAL.format(name="mine") + "splits: {count: 10, only: 0}\n",
            "key 'splits': .*count: 1 where 'only' names a single split",
        ),
        (MINIMAL.format(name="mine") + "query_cameras: []\n", "key 'query_cameras': invalid value; expected .*at least 1"),
    ],
    ids=["name", "choice", "unknown key", "splits", "no camera"],
)
def test_read_protocol_invalid_names_key(tmp_path, text, message) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_protocol(path)
