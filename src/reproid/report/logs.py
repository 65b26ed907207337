"""The last lines of a run's logs, cleaned of progress bars and terminal codes."""

import re
from dataclasses import dataclass
from pathlib import Path

TAIL_LINES = 30
_TAIL_BYTES = 64_000
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, kw_only=True)
class LogTail:
    """The end of one log."""

    path: str
    """Below results/."""
    text: str


def log_tails(results: Path, dataset: str, run_id: str) -> tuple[LogTail, ...]:
    """Return the ends of all logs of a run, sorted by path; empty logs are left out.

    Args:
        results: the folder results/; rules write to logs/<rule>/<dataset>/<run id>*.log in it.
        dataset: the run's data set.
        run_id: the run's id.
    """
    own = re.compile(rf"{re.escape(run_id)}(?!-[0-9a-f]{{6}}\b)")  # not those of runs that share its training
    paths = sorted(path for path in (results / "logs").glob(f"*/{dataset}/{run_id}*.log") if own.match(path.name))
    tails = (LogTail(path=path.relative_to(results).as_posix(), text=tail(path)) for path in paths)
    return tuple(log for log in tails if log.text)


def tail(path: Path) -> str:
    """Return the last lines of a text file; of a line that a progress bar wrote over, what was last seen of it."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    lines = [_CONTROL.sub("", _CODES.sub("", line.rstrip("\r").rpartition("\r")[2])).rstrip() for line in text.split("\n")]
    return "\n".join([line for line in lines if line][-TAIL_LINES:])
