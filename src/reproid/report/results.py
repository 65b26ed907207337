"""Result files as they lie on the disk, read and checked once. A file is there, absent (None) or `Damaged`; never half read."""

import csv
import json
import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, ValidationError

from reproid.outcomes import FAILED

Fraction = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class Damaged:
    """A file that exists and cannot be used."""

    path: str
    """Below results/."""
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class ResultFile(BaseModel):
    """Base of files that the pipeline wrote. Keys that the report does not show are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class ProtocolName(ResultFile):
    """The protocol that a metrics file was scored under."""

    name: str
    revision: int


class MadeWith(ResultFile):
    """What a metrics file says of the embeddings behind it."""

    run_id: str | None = None


class QueryCounts(ResultFile):
    """How many queries a number rests on."""

    queries: NonNegativeInt
    scored: NonNegativeInt
    dropped: dict[str, NonNegativeInt] = {}
    """Reason -> queries that were left out for it."""
    gallery: NonNegativeInt
    persons: NonNegativeInt | None = None
    """Persons among the scored queries: what the bootstrap draws."""
    positives_per_query: NonNegativeFloat | None = None


class Metrics(ResultFile):
    """metrics/<protocol>.json; fractions 0-1."""

    schema_number: Literal[1] = Field(alias="schema")
    protocol: ProtocolName
    made_with: MadeWith = MadeWith()
    counts: QueryCounts
    map: Fraction | None = None
    minp: Fraction | None = None
    rank1: Fraction | None = None
    rank5: Fraction | None = None
    rank10: Fraction | None = None
    rank20: Fraction | None = None
    cmc: tuple[Fraction, ...] = ()
    ci95: dict[str, tuple[Fraction, Fraction] | None] = {}
    chance: dict[str, Fraction] = {}
    """What rankings in random order score on the same labels."""
    reranking: dict[str, Any] | None = None
    """How the ranking was changed after the distances; None for not at all, as protocols have it."""

    def value(self, metric: str) -> float | None:
        """Return one metric, or None where the file holds none."""
        value = getattr(self, metric, None)
        return float(value) if isinstance(value, float | int) else None


class RunStatus(ResultFile):
    """status.json, and the files of failed/."""

    state: Literal["done", "failed", "interrupted"]
    reason: str | None = None
    log: str | None = None
    slurm_job_id: str | None = None


class Cost(ResultFile):
    """A file of cost/: one clip of a method at its paper's size."""

    gmacs: NonNegativeFloat | None = None
    gmacs_without_attention: NonNegativeFloat | None = None
    parameters: NonNegativeInt | None = None
    ms_per_video: NonNegativeFloat | None = None
    device: str | None = None
    hardware: dict[str, Any] | None = None

    def value(self, metric: str) -> float | None:
        """Return one figure in the unit of tables: GMACs, ms, millions of parameters."""
        value = getattr(self, metric, None)
        if value is None:
            return None
        return float(value) / 1e6 if metric == "parameters" else float(value)

    def note(self, metric: str) -> str:
        """Return what belongs beside a figure: GMACs by the other convention, the machine of a time."""
        if metric == "gmacs" and self.gmacs_without_attention not in (None, self.gmacs):
            return f"{self.gmacs_without_attention:.1f} GMACs without attention products"
        if metric == "ms_per_video" and self.hardware is not None:
            return f"on {self.hardware.get('gpu') if self.device == 'cuda' else self.hardware.get('cpu')}"
        return ""


@dataclass(frozen=True, kw_only=True)
class History:
    """history.csv: numbers by column; None where a field is no finite number."""

    columns: tuple[str, ...]
    rows: tuple[tuple[float | None, ...], ...]
    incomplete: bool
    """The last line was cut short and is left out."""


Kind = TypeVar("Kind", bound=BaseModel)


class Results:
    """The folder results/, read only; each file once.

    Args:
        folder: results/ of a project.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[tuple[str, type[BaseModel] | None], Any] = {}
        self._made: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return what ``make`` makes of these files; made at the first call with this key, and kept."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def read(self, path: str, model: type[Kind]) -> Kind | Damaged | None:
        """Return the JSON file at ``path`` below results/, checked against ``model``."""
        key = (path, model)
        if key not in self._read:
            value = self._json(path)
            self._read[key] = value if value is None or isinstance(value, Damaged) else _validate(path, value, model)
        read: Kind | Damaged | None = self._read[key]
        return read

    def metrics(self, path: str) -> Metrics | Damaged | None:
        """Return the metrics file at ``path`` below results/."""
        return self.read(path, Metrics)

    def cost(self, path: str) -> Cost | Damaged | None:
        """Return the measured cost at ``path`` below results/."""
        return self.read(path, Cost)

    def plain(self, path: str) -> dict[str, Any] | Damaged | None:
        """Return a JSON object (run.json, manifest.json) as it is."""
        value = self._json(path)
        if value is None or isinstance(value, Damaged | dict):
            return value
        return Damaged(path=path, reason="not a JSON object")

    def failure(self, run_folder: str, protocols: Iterable[str] | None = None) -> str | None:
        """Return why a run's training, embedding or evaluation failed, as they recorded it; None: no failure is recorded.

        Args:
            run_folder: below results/.
            protocols: those whose evaluation counts; by default, all.
        """
        status = self.status(run_folder)
        if isinstance(status, RunStatus) and status.state == "failed":
            return status.reason or "no reason given"
        other = () if protocols is None else {f"evaluate-{name}" for name in protocols}
        for path in sorted((self.folder / run_folder / FAILED).glob("*-*.json")):
            later = self.read(f"{run_folder}/{FAILED}/{path.name}", RunStatus)
            counts = protocols is None or path.stem in other or not path.stem.startswith("evaluate-")
            if counts and isinstance(later, RunStatus) and later.state == "failed":
                return f"{path.stem.replace('-', ' ', 1)}: {later.reason or 'no reason given'}"
        return None

    def manifest(self, run_folder: str) -> dict[str, Any] | Damaged | None:
        """Return a run's manifest; that of its failed training where it has no other."""
        found = self.plain(f"{run_folder}/manifest.json")
        return self.plain(f"{run_folder}/{FAILED}/manifest.json") if found is None else found

    def status(self, run_folder: str) -> RunStatus | Damaged | None:
        """Return a run's status.json."""
        return self.read(f"{run_folder}/status.json", RunStatus)

    def weights_missing(self, run_folder: str) -> bool:
        """Tell whether a run's manifest says that the pretrained weights it asked for were absent."""
        manifest = self.plain(f"{run_folder}/manifest.json")
        return isinstance(manifest, dict) and manifest.get("weights") == "absent"

    def history(self, run_folder: str) -> History | Damaged | None:
        """Return a run's history.csv."""
        path = f"{run_folder}/history.csv"
        try:
            text = (self.folder / path).read_text(encoding="utf-8")
            lines = list(csv.reader(text.splitlines()))
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            return Damaged(path=path, reason=f"not a CSV file ({error})")
        if not lines or not lines[0]:
            return Damaged(path=path, reason="empty")
        head, body = lines[0], [line for line in lines[1:] if line]
        incomplete = bool(body) and (not text.endswith("\n") or len(body[-1]) != len(head))
        body = body[: len(body) - incomplete]
        if any(len(line) != len(head) for line in body):
            return Damaged(path=path, reason=f"lines with other than {len(head)} fields")
        rows = tuple(tuple(_number(field) for field in line) for line in body)
        return History(columns=tuple(head), rows=rows, incomplete=incomplete)

    def scored_protocols(self, run_folder: str) -> tuple[str, ...]:
        """Return the names of the protocols that a run has metrics files of, sorted."""
        return tuple(sorted(path.stem for path in (self.folder / run_folder / "metrics").glob("*.json") if path.name[0] != "."))

    def _json(self, path: str) -> Any:
        key = (path, None)
        if key not in self._read:
            try:
                value = json.loads((self.folder / path).read_text(encoding="utf-8"))
                self._read[key] = Damaged(path=path, reason="null, not a JSON object") if value is None else value
            except FileNotFoundError:
                self._read[key] = None
            except (OSError, ValueError, RecursionError) as error:
                self._read[key] = Damaged(path=path, reason=f"not a JSON file ({type(error).__name__})")
        return self._read[key]


def _validate(path: str, value: Any, model: type[Kind]) -> Kind | Damaged:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the file"
        return Damaged(path=path, reason=f"{key}: {first['msg'][:1].lower()}{first['msg'][1:]}")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
