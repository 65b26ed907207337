"""Benchmark of packed data: random clips of 8 frames, read from files and from shards, cold and warm.

    python benchmarks/pack.py --out benchmarks/pack.json                         20,000 frames: two minutes, 400 MB of disk
    python benchmarks/pack.py --out large.json --frames 1000000 --folder /big    a million: ten minutes, 20 GB; as long to remove

The frames are a few hundred rendered ones, 128 x 256 pixels, under names as in MARS. Files and shards are read in one run, in
turns, the same clips of both; a ratio is the median over the rounds of files / shards, so above 1 shards are faster.

cold     the caches of the whole system are dropped before each round (/proc/sys/vm/drop_caches, which takes root); where that is
         not permitted, the system is asked to forget the files' and the shards' pages (posix_fadvise), but not where they lie
warm     read before; CPU time and wall time
decoded  warm, with decoding and resizing to 256 x 128: what a loader's worker does
"""

import argparse
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from _measure import machine

from reproid.catalog.synthetic import SyntheticSpec
from reproid.datasets.data_folder import DataFolder
from reproid.datasets.pack import pack, verify
from reproid.files import write_json

FRAMES_PER_TRACKLET, TRACKLETS_PER_PERSON, CLIP = 50, 16, 8
PERSONS_RENDERED = 24
DROP = Path("/proc/sys/vm/drop_caches")
Clips = list[list[str]]


def main() -> None:
    """Make a set, pack it, measure, and write one JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--clips", type=int, default=200, help="per round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where to make the set; on the disk to measure")
    arguments = parser.parse_args()
    result: dict[str, Any] = {"machine": machine()}
    with tempfile.TemporaryDirectory(dir=arguments.folder) as temporary:
        files, shards = Path(temporary) / "files", Path(temporary) / "shards"
        names = make_set(files, arguments.frames)
        started = time.perf_counter()
        packed = pack(files, shards)
        pack_s = time.perf_counter() - started
        started = time.perf_counter()
        verify(shards)
        result |= {
            "frames": len(names),
            "mean_bytes": round(sum(path.stat().st_size for path in sample(files, names)) / 1000),
            "shards": packed.shards,
            "clips_per_round": arguments.clips,
            "rounds": arguments.rounds,
            "cold_by": "drop_caches" if may_drop() else "posix_fadvise",
            "pack_s": round(pack_s, 1),
            "packed_per_s": round(len(names) / pack_s),
            "verify_s": round(time.perf_counter() - started, 1),
        }
        rounds = [draw(names, arguments.clips, seed) for seed in range(arguments.rounds)]
        result["cold"] = cold(files, shards, rounds)
        result["warm"] = in_child(warm, files, shards, rounds)
        result["decoded"] = in_child(decoded, files, shards, rounds)
        print({key: value for key, value in result.items() if key != "machine"})
        write_json(arguments.out, result)  # before the set is removed, which takes minutes for a million files


def make_set(folder: Path, frames: int) -> list[str]:
    """Write frames under MARS's names; return these."""
    from reproid.synthetic.render import render_dataset

    spec = SyntheticSpec(train_persons=4, test_persons=PERSONS_RENDERED - 4, cameras=3, height=256, width=128, frames=(4, 6))
    with tempfile.TemporaryDirectory() as temporary:
        rendered = render_dataset(spec, Path(temporary) / "set").folder
        images = [path.read_bytes() for path in sorted(rendered.rglob("bbox_*/*/*.jpg"))]
    names = []
    for k in range(frames):
        tracklet, frame = divmod(k, FRAMES_PER_TRACKLET)
        person = tracklet // TRACKLETS_PER_PERSON
        names.append(f"bbox_train/{person:04d}/{person:04d}C1T{tracklet % TRACKLETS_PER_PERSON + 1:04d}F{frame + 1:03d}.jpg")
        if k % (FRAMES_PER_TRACKLET * TRACKLETS_PER_PERSON) == 0:
            (folder / names[-1]).parent.mkdir(parents=True)
        (folder / names[-1]).write_bytes(images[k * 7 % len(images)])
    return names


def sample(folder: Path, names: list[str]) -> list[Path]:
    """Return a thousand files, with repetition."""
    return [folder / name for name in random.Random(0).choices(names, k=1000)]


def draw(names: list[str], clips: int, seed: int) -> Clips:
    """Return random clips: a tracklet each, and frames spread over it in time order, as training samples them."""
    rng = random.Random(seed)
    chunk = FRAMES_PER_TRACKLET // CLIP
    starts = [rng.randrange(len(names) // FRAMES_PER_TRACKLET) * FRAMES_PER_TRACKLET for _ in range(clips)]
    return [[names[start + k * chunk + rng.randrange(chunk)] for k in range(CLIP)] for start in starts]


def may_drop() -> bool:
    """Tell whether this process may drop the system's caches."""
    return os.access(DROP, os.W_OK)


def forget(*folders: Path) -> None:
    """Make reading cold. No process may have the shards mapped: mapped pages stay."""
    os.sync()
    if may_drop():
        DROP.write_text("3")
        return
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def cold(files: Path, shards: Path, rounds: list[Clips]) -> dict[str, Any]:
    """Measure the first reading of each round's clips; whose turn is first changes from round to round."""
    times: dict[Path, list[float]] = {files: [], shards: []}
    for number, clips in enumerate(rounds):
        forget(files, shards)
        for root in (files, shards) if number % 2 else (shards, files):
            times[root].append(in_child(read_once, root, clips))
    return summary(times[files], times[shards], len(rounds[0]))


def read_once(root: Path, clips: Clips) -> float:
    """Return the seconds that the clips' bytes take, opening the shards included."""
    started = time.perf_counter()
    read(DataFolder(root), clips)
    return time.perf_counter() - started


def read(data: DataFolder, clips: Clips) -> None:
    """Read the clips' bytes."""
    for clip in clips:
        data.read_all(clip)


def warm(files: Path, shards: Path, rounds: list[Clips]) -> dict[str, Any]:
    """Measure reading what was read before."""
    return in_turns(files, shards, rounds, read)


def decoded(files: Path, shards: Path, rounds: list[Clips]) -> dict[str, Any]:
    """Measure reading, decoding and resizing what was read before."""
    from reproid.clips.images import read_frames

    def work(data: DataFolder, clips: Clips) -> None:
        for clip in clips:
            read_frames(data, clip, declared={}, height=256, width=128)

    return in_turns(files, shards, rounds, work)


def in_turns(files: Path, shards: Path, rounds: list[Clips], work: Callable[[DataFolder, Clips], None]) -> dict[str, Any]:
    """Time some work on files and on shards, in turns."""
    data = DataFolder(files), DataFolder(shards)
    cpu: tuple[list[float], list[float]] = ([], [])
    wall: tuple[list[float], list[float]] = ([], [])
    for clips in rounds:
        for one in data:
            read(one, clips)
        for k in (0, 1, 1, 0):
            started = time.process_time(), time.perf_counter()
            work(data[k], clips)
            cpu[k].append(time.process_time() - started[0])
            wall[k].append(time.perf_counter() - started[1])
    return {"cpu": summary(*cpu, len(rounds[0])), "wall": summary(*wall, len(rounds[0]))}


def summary(files_s: list[float], shards_s: list[float], clips: int) -> dict[str, Any]:
    """Return ms per clip, medians over the rounds, and the median of the rounds' ratios."""
    ratios = [one / two for one, two in zip(files_s, shards_s, strict=True)]
    return {
        "files_ms": round(1000 * statistics.median(files_s) / clips, 3),
        "shards_ms": round(1000 * statistics.median(shards_s) / clips, 3),
        "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
    }


def in_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a process of its own, which has nothing mapped before and leaves nothing mapped behind."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


if __name__ == "__main__":
    main()
