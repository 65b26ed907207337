"""The mean over splits, then over seeds, of metrics files of one protocol; both counts are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reproid.catalog.protocols import Protocol
from reproid.errors import InputError
from reproid.files import write_json
from reproid.retrieval.inputs import check_made_with
from reproid.retrieval.intervals import bootstrap_mean_of_groups, percentile_intervals
from reproid.retrieval.results import Result
from reproid.retrieval.splits import parse_split
from reproid.seeds import derive_seed

SCHEMA = 1
UNNAMED = "unnamed"
# Everything that may differ between two files of one mean is their split and their seed.
SAME = ("sampling", "pooling", "frames_per_clip", "distance", "dataset")


@dataclass(frozen=True, kw_only=True)
class Aggregate:
    """Means over splits, then seeds. Fractions."""

    protocol: Protocol
    reranking: dict[str, Any] | None
    splits: tuple[str, ...]
    seeds: tuple[str, ...]
    complete: bool
    """Whether there are as many splits as the protocol averages over."""
    mean: Mapping[str, float]
    sd_over_seeds: Mapping[str, float | None]
    """Standard deviation (n - 1) of the seeds' means over splits; None for one seed."""
    sd_over_splits: Mapping[str, float | None]
    """The same of the splits' means over seeds; None for one split."""
    ci95: Mapping[str, tuple[float, float]]
    """Bootstrap over persons, each drawn in all its splits and seeds together; empty for fewer than two persons."""

    def to_json(self) -> dict[str, Any]:
        """Return the content of the file."""
        return {
            "schema": SCHEMA,
            "protocol": {"name": self.protocol.name, "revision": self.protocol.revision},
            "reranking": self.reranking,
            "counts": {"splits": len(self.splits), "splits_expected": self.protocol.splits.count, "seeds": len(self.seeds)},
            "complete": self.complete,
            "splits": list(self.splits),
            "seeds": list(self.seeds),
            **dict(self.mean),
            "sd_over_seeds": dict(self.sd_over_seeds),
            "sd_over_splits": dict(self.sd_over_splits),
            "ci95": {name: list(bounds) for name, bounds in self.ci95.items()},
        }


def aggregate(results: Sequence[Result], *, partial: bool = False, resamples: int = 10_000, seed: int = 0) -> Aggregate:
    """Average metrics files over splits, then over seeds.

    Args:
        results: one file per split and seed.
        partial: accept fewer splits than the protocol averages over; the result then says that it is not complete.
        resamples: of the bootstrap; 0: no intervals.
        seed: of the bootstrap.

    Raises:
        InputError: if the files were not made alike, or a split or seed is missing, there twice, or of another split set.
    """
    protocol = _common_protocol(results)
    table = _by_split_and_seed(results)
    splits, seeds = sorted({s for s, _ in table}, key=parse_split), sorted({s for _, s in table}, key=parse_split)
    for split in splits:
        for one in seeds:
            if (split, one) not in table:
                raise InputError(f"no file for split {split} of seed {one}", expected=f"{len(splits)} splits of every seed")
    _check_splits(protocol, splits, partial=partial)
    names = list(results[0].values)
    values = np.array([[[table[split, one].values[name] for name in names] for one in seeds] for split in splits])
    ci95: Mapping[str, tuple[float, float]] = {}
    groups = [result.queries.persons() for result in results] if resamples else []
    if groups and len(np.unique(np.concatenate([group.pids for group in groups]))) > 1:
        generator = np.random.default_rng(derive_seed(seed, "bootstrap"))
        ci95 = percentile_intervals(bootstrap_mean_of_groups(groups, generator, resamples=resamples), names)
    return Aggregate(
        protocol=protocol,
        reranking=results[0].reranking,
        splits=tuple(splits),
        seeds=tuple(seeds),
        complete=len(splits) == protocol.splits.count,
        mean=dict(zip(names, values.mean(axis=(0, 1)).tolist(), strict=True)),
        sd_over_seeds=_deviations(names, values.mean(axis=0)),
        sd_over_splits=_deviations(names, values.mean(axis=1)),
        ci95=ci95,
    )


def write_aggregate(result: Aggregate, out: Path | str) -> None:
    """Write the aggregate as JSON."""
    write_json(out, result.to_json())


def _common_protocol(results: Sequence[Result]) -> Protocol:
    if not results:
        raise InputError("nothing to aggregate", expected="at least one metrics file", got="none")
    first = results[0]
    for other in results:
        if other.protocol != first.protocol:
            names = [f"{result.protocol.name} (revision {result.protocol.revision})" for result in (first, other)]
            raise InputError(f"another protocol than {first.path}", where=other.path, expected=names[0], got=names[1])
        if other.reranking != first.reranking:
            raise InputError(
                f"another re-ranking than {first.path}", where=other.path, expected=str(first.reranking), got=str(other.reranking)
            )
        check_made_with(other.made, first.protocol, where=other.path)
        for name in SAME:
            expected, got = getattr(first.made, name), getattr(other.made, name)
            if expected != got:
                raise InputError(
                    f"made with another {name} than {first.path}", where=other.path, expected=str(expected), got=str(got)
                )
    return first.protocol


def _by_split_and_seed(results: Sequence[Result]) -> dict[tuple[str, str], Result]:
    table: dict[tuple[str, str], Result] = {}
    for result in results:
        seed = UNNAMED if result.made.seed is None else str(result.made.seed)
        key = (result.made.split or UNNAMED, seed)
        if key in table:
            raise InputError(
                f"the same split ({key[0]}) and seed ({key[1]}) as {table[key].path}",
                where=result.path,
                fix="Name them when scoring: reproid evaluate --split ... --seed ...",
            )
        table[key] = result
    return table


def _check_splits(protocol: Protocol, splits: Sequence[str], *, partial: bool) -> None:
    wanted, names = protocol.splits, [parse_split(split) for split in splits]
    sets = sorted({name.set or UNNAMED for name in names})
    if len(sets) > 1:
        raise InputError("splits of two split sets", expected="one set", got=", ".join(sets))
    if wanted.set is not None and sets != [wanted.set]:
        raise InputError(
            f"protocol {protocol.name} needs another split set",
            expected=f"{wanted.set}-<index>",
            got=splits[0],
            fix=f"Splits without a set are named when scoring: reproid evaluate --split {wanted.set}-0",
        )
    if len(splits) > wanted.count or (len(splits) < wanted.count and not partial):
        fix = "Add the others, or pass --partial" if len(splits) < wanted.count else None
        raise InputError(
            f"protocol {protocol.name} needs another number of splits", expected=wanted.count, got=len(splits), fix=fix
        )


def _deviations(names: Sequence[str], values: np.ndarray) -> dict[str, float | None]:
    if len(values) < 2:
        return dict.fromkeys(names)
    return dict(zip(names, np.std(values, axis=0, ddof=1).tolist(), strict=True))
