"""The same embeddings under every protocol of a family: how much of a gap between two numbers is their protocol."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reproid.catalog.protocols import Protocol, family_of
from reproid.errors import InputError
from reproid.files import write_json
from reproid.retrieval.evaluation import Evaluation, Options, evaluate
from reproid.retrieval.inputs import MadeWith
from reproid.retrieval.rankings import Source

SCHEMA = 1
SHOWN = ("protocol", "reranking", "counts", "map", "minp", "rank1", "rank5", "rank10", "rank20", "chance", "ci95")
"""What is kept of each metrics file: its curve and what all of them share are left out."""


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A protocol of the family that a file cannot be scored under."""

    protocol: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Family:
    """One file under all protocols of a family."""

    standard: str
    made: MadeWith
    scored: tuple[Evaluation, ...]
    """The standard first, the others by name."""
    skipped: tuple[Skipped, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the content of families/<protocol>.json; fractions 0-1."""
        return {
            "schema": SCHEMA,
            "family": self.standard,
            "made_with": asdict(self.made),
            "protocols": [_shown(evaluation) for evaluation in self.scored],
            "skipped": [asdict(one) for one in self.skipped],
        }


def score_family(source: Source, known: Evaluation, options: Options | None = None) -> Family:
    """Score a file under all protocols of the family of an evaluation that is already made of it.

    Args:
        source: embeddings or distances.
        known: its evaluation under one protocol of the family, which is not made again.
        options: those of ``known``.
    """
    found = list(_members(source, known, options or Options()))
    return Family(
        standard=known.protocol.family or known.protocol.name,
        made=source.made,
        scored=tuple(one for one in found if isinstance(one, Evaluation)),
        skipped=tuple(one for one in found if isinstance(one, Skipped)),
    )


def write_family(family: Family, path: Path | str) -> None:
    """Write the family as JSON. Not into the folder of the metrics: every JSON file there is a metrics file."""
    write_json(path, family.to_json())


def _members(source: Source, known: Evaluation, options: Options) -> Iterator[Evaluation | Skipped]:
    for protocol in family_of(known.protocol.name):
        yield known if protocol == known.protocol else _evaluate(source, protocol, options)


def _evaluate(source: Source, protocol: Protocol, options: Options) -> Evaluation | Skipped:
    try:
        return evaluate(source, protocol, options)
    except InputError as error:
        # Another split, another pooling, lengths that the file lacks: the protocol does not apply to it.
        return Skipped(protocol=protocol.name, reason=str(error).removeprefix(f"{source.path}: "))


def _shown(evaluation: Evaluation) -> dict[str, Any]:
    content = evaluation.to_json()
    return {key: content[key] for key in SHOWN} | {"protocol": {key: content["protocol"][key] for key in ("name", "revision")}}
