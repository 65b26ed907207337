import subprocess
import sys

import numpy as np
import pytest

from reproid.files import read_json


def reproid(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "reproid", *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(9)
    q, g = 12, 30
    arrays = {"distances": rng.random((q, g), np.float32), "q_pids": rng.integers(1, 5, q), "g_pids": rng.integers(0, 5, g)}
    arrays |= {"q_camids": np.zeros(q, int), "g_camids": rng.integers(0, 3, g)}
    np.savez(tmp_path / "d.npz", **arrays)
    return tmp_path


def test_evaluate_one_protocol_writes_exactly_out(files) -> None:
    done = reproid(
        "evaluate",
        "--distances",
        files / "d.npz",
        "--protocol",
        "mars-standard",
        "--out",
        files / "out" / "m.json",
        "--resamples",
        50,
    )
    assert (done.returncode, done.stderr) == (0, "")
    content = read_json(files / "out" / "m.json")
    assert f"mars-standard: mAP {100 * content['map']:.2f}, rank-1 {100 * content['rank1']:.2f}" in done.stdout
    assert sorted(path.name for path in (files / "out").iterdir()) == ["m.json", "m.queries.parquet"]


def test_evaluate_several_protocols_write_one_file_each(files) -> None:
    out = files / "metrics"
    names = ["mars-standard", "mars-matlab-ap"]
    done = reproid(
        "evaluate", "--distances", files / "d.npz", *[f"--protocol={name}" for name in names], "--out", out, "--resamples", 50
    )
    assert done.returncode == 0, done.stderr
    assert {name: read_json(out / f"{name}.json")["protocol"]["name"] for name in names} == {name: name for name in names}
    assert read_json(out / "mars-standard.json")["map"] != read_json(out / "mars-matlab-ap.json")["map"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give one of --embeddings and --distances; got none."),
        (("--embeddings", "{d}", "--distances", "{d}"), "give one of --embeddings and --distances; got both."),
        (("--distances", "{d}", "--protocol", "mars-standart"), "got 'mars-standart'. Did you mean 'mars-standard'?"),
        (
            ("--distances", "{d}", "--protocol", "duke-standard", "--inspect", "x"),
            "--inspect takes one protocol; got 2 protocols.",
        ),
        (
            ("--distances", "{d}", "--protocol", "duke-standard", "--family", "x"),
            "--family takes one protocol; got 2 protocols.",
        ),
        (("--distances", "nowhere.npz"), "nowhere.npz: file not found."),
        (("--embeddings", "{d}"), "array 'embeddings' is missing"),
    ],
    ids=["neither", "both", "unknown protocol", "inspect two", "family two", "no file", "wrong kind of file"],
)
def test_evaluate_mistake_is_one_line_and_exit_code_2(files, arguments, message) -> None:
    given = [argument.replace("{d}", str(files / "d.npz")) for argument in arguments]
    done = reproid("evaluate", *given, "--protocol", "mars-standard", "--out", files / "m.json")
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (files / "m.json").exists()
