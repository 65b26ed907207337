"""The ends of logs."""

from pathlib import Path

from reproid.report.logs import TAIL_LINES, log_tails, tail


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_tail_keeps_the_last_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "a.log", "".join(f"line {index}\n" for index in range(100_000)).encode())
    assert tail(path).splitlines() == [f"line {index}" for index in range(100_000 - TAIL_LINES, 100_000)]


def test_tail_shows_what_a_progress_bar_showed_last(tmp_path: Path) -> None:
    path = write(tmp_path / "a.log", b"\x1b[31mepoch 1\x1b[0m\r 10%\r 100%\r\n\nbroken \xff\x07 byte\n")
    assert tail(path) == " 100%\nbroken \ufffd byte"


def test_log_tails_are_those_of_the_run_by_rule(tmp_path: Path) -> None:
    write(tmp_path / "logs/train/mars/0123456789ab.log", b"trained\n")
    write(tmp_path / "logs/embed/mars/0123456789ab-dense.log", b"embedded\n")
    write(tmp_path / "logs/embed/mars/ffffffffffff-dense.log", b"another\n")
    write(tmp_path / "logs/evaluate/mars/0123456789ab-p.log", b"")
    found = log_tails(tmp_path, "mars", "0123456789ab")
    assert [(log.path, log.text) for log in found] == [
        ("logs/embed/mars/0123456789ab-dense.log", "embedded"),
        ("logs/train/mars/0123456789ab.log", "trained"),
    ]
