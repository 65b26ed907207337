"""How much work a run is, in numbers that data sets declare or an index holds: training persons, test clips."""

from dataclasses import dataclass
from pathlib import Path

from reproid.catalog.datasets import RealDataSet, SyntheticDataSet, index_of
from reproid.catalog.runs import Run


def training_steps(run: Run) -> int | None:
    """Return the optimiser steps of a run; None where its data set declares no number of training persons."""
    train = run.settings.train
    if train.epochs == 0:
        return 0
    if train.steps_per_epoch is not None:
        return train.epochs * train.steps_per_epoch
    persons = training_persons(run.data)
    return None if persons is None else train.epochs * -(-persons // train.batch.persons)


def training_persons(data: RealDataSet | SyntheticDataSet) -> int | None:
    """Return the persons of the training part as declared; of data sets in two halves (iLIDS-VID, PRID-2011), half of all."""
    if isinstance(data, SyntheticDataSet):
        return data.spec.train_persons
    both = data.counts.get("persons_used") or data.counts.get("persons")
    return data.counts.get("train_persons") or (both // 2 if both else None)


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """The test tracklets of one split."""

    lengths: tuple[int, ...]
    """Frames of each."""

    def clips(self, run: Run) -> int:
        """Return how many test clips of a run's settings cover them."""
        embed = run.settings.embed
        counts = (-(-frames // embed.frames) for frames in self.lengths)
        return sum(count if embed.max_clips is None else min(count, embed.max_clips) for count in counts)


def held_out(run: Run, root: Path) -> HeldOut | None:
    """Return the test tracklets of a run's split: of the index where it has been made, or else as declared, each of mean length.

    None where neither says how many frames there are.
    """
    index = index_of(run.dataset, run.data, root)
    if (index / "splits.parquet").is_file() and (index / "tracklets.parquet").is_file():
        return _of_index(index, run.split)
    counts = run.data.counts if isinstance(run.data, RealDataSet) else {}
    tracklets, frames = counts.get("test_tracklets"), counts.get("test_frames")
    if tracklets is None:
        both = counts.get("tracklets_used") or counts.get("tracklets")
        all_frames = counts.get("frames_used") or counts.get("frames")
        tracklets, frames = (both // 2, all_frames // 2) if both and all_frames else (None, None)
    return HeldOut(lengths=(-(-frames // tracklets),) * tracklets) if tracklets and frames else None


def _of_index(index: Path, split: str) -> HeldOut:
    import pyarrow.parquet as pq

    roles = pq.read_table(index / "splits.parquet", columns=["split", "tracklet_id", "role"]).to_pydict()
    tested = {
        name
        for of, name, role in zip(roles["split"], roles["tracklet_id"], roles["role"], strict=True)
        if of == split and role in ("query", "gallery")
    }
    found = pq.read_table(index / "tracklets.parquet", columns=["tracklet_id", "n_frames"]).to_pydict()
    return HeldOut(lengths=tuple(n for name, n in zip(found["tracklet_id"], found["n_frames"], strict=True) if name in tested))
