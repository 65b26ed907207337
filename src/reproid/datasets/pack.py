"""A data set of many small images turned into tar shards: the same names, the same bytes, a few large files.

    OUT/shards/00000.tar ... index.arrow    the images (`reproid.datasets.shards`), in the order of their names
    OUT/shards/SHA256SUMS                   of every file here: `sha256sum -c shards/SHA256SUMS` in OUT
    OUT/info/..., OUT/images.csv, ...       what is no image, copied

So OUT takes the place of the data set's folder. While packing, shards/ also holds plan.json and, per finished shard, a list of
its members: an interrupted call is continued by the same call. The data set's own folder is only read.
"""

import hashlib
import json
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path

from reproid.datasets._read import offenders
from reproid.datasets.data_folder import DataFolder
from reproid.datasets.pack_source import Source, list_source
from reproid.datasets.shard_index import INDEX, Member, Shard, bad_name, index_bytes
from reproid.datasets.shard_writer import SHARD_BYTES, ShardFile, shard_name
from reproid.datasets.shards import FOLDER, Shards
from reproid.errors import InputError
from reproid.files import atomic_path, read_json, write_json, write_text
from reproid.locks import exclusive

SUMS, PLAN = "SHA256SUMS", "plan.json"
CHUNK = 64
"""Images that a thread reads at a time."""
Step = Callable[[int], object]
"""Takes the number of images that were packed."""


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A packed data set."""

    folder: Path
    images: int
    shards: int
    copied: int
    """Files that are no images."""
    left_out: tuple[str, ...]
    """Archives: what was unpacked is packed already."""
    fresh: bool
    """False when it was there already."""


def pack(
    root: Path, out: Path, *, shard_bytes: int = SHARD_BYTES, workers: int = 4, start: Callable[[int], Step] | None = None
) -> Packed:
    """Pack a data set. A complete one is left as it is, an interrupted one is continued; of other data, it is refused.

    Args:
        root: the data set's folder; nothing is written to it.
        out: folder to write; new, empty or of an earlier call.
        shard_bytes: size of a shard, about; other sizes are other shards.
        workers: threads that read.
        start: is called with the number of images, and returns what is called with the number of those that were packed.

    Raises:
        InputError: if the data cannot be read, ``out`` lies in them or holds something else, or the disk is full.
    """
    source = list_source(root)
    if out.resolve().is_relative_to(root.resolve()):
        raise InputError("the shards would lie in the data set's own folder", where=out, fix="Give another --out")
    _check_target(out)
    with exclusive(out / ".pack.lock", f"another reproid data pack is writing to {out}"):
        fresh = not _is_complete(out, source)
        if fresh:
            step = start(len(source.images)) if start else lambda _: None
            _pack(source, out, (shard_bytes, workers), step)
        for rest in [out / FOLDER / PLAN, *(out / FOLDER).glob("*.tar.json")]:
            rest.unlink(missing_ok=True)
    return Packed(
        folder=out,
        images=len(source.images),
        shards=len(Shards(out / FOLDER).shards),
        copied=len(source.others),
        left_out=source.left_out,
        fresh=fresh,
    )


def verify(out: Path, *, start: Callable[[int], Step] | None = None) -> int:
    """Read every byte of a packed data set and compare it with what was recorded.

    Args:
        out: its folder.
        start: is called with the number of files, and returns what is called with the number of those that were read.

    Returns:
        The number of images.

    Raises:
        InputError: names the first files that differ.
    """
    shards = Shards(out / FOLDER)
    sums = _read_sums(out / FOLDER / SUMS)
    step = start(len(sums)) if start else lambda _: None
    wrong = []
    for name, digest in sums.items():
        if not (out / name).is_file() or _sha256(out / name) != digest:
            wrong.append(name)
        step(1)
    lost = [shard.name for shard in shards.shards if sums.get(f"{FOLDER}/{shard.name}") != shard.sha256]
    if wrong or lost:
        got = f"{len(wrong)} that differ: {offenders(wrong)}" if wrong else f"no such sum of {offenders(lost)}"
        raise InputError("the packed data set is damaged", where=out, expected=f"the files of {SUMS}", got=got,
                         fix="Delete it and pack the data again")  # fmt: skip
    for position, shard in enumerate(shards.shards):
        with tarfile.open(out / FOLDER / shard.name) as tar:
            found = {(one.name, one.offset_data, one.size) for one in tar}
        if found != {(member.name, member.offset, member.size) for member in shards.members(position)}:
            raise InputError("index and shard do not fit", where=out / FOLDER / shard.name,
                             fix="Delete the folder and pack the data again")  # fmt: skip
    return len(shards)


def _check_target(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise InputError("not a folder", where=out, fix="Give another --out")
    own = [out / FOLDER / PLAN, out / FOLDER / INDEX]
    if out.is_dir() and any(path.name != ".pack.lock" for path in out.iterdir()) and not any(path.exists() for path in own):
        raise InputError("the folder is not empty and holds no packed data set", where=out, fix="Give a new or empty --out")


def _is_complete(out: Path, source: Source) -> bool:
    if not (out / FOLDER / INDEX).exists():
        return False
    shards = Shards(out / FOLDER)
    packed = {(member.name, member.size) for member in map(shards.member, range(len(shards)))}
    differing = sorted(name for name, _ in packed ^ {(image.name, image.size) for image in source.images})
    if differing:
        got = f"others: {offenders(list(dict.fromkeys(differing)))}"
        raise InputError("the folder holds other data, packed", where=out, expected=f"the images of {source.root}", got=got,
                         fix="Give another --out, or delete it")  # fmt: skip
    return True


def _pack(source: Source, out: Path, how: tuple[int, int], step: Step) -> None:
    shard_bytes, workers = how
    folder = out / FOLDER
    for old in folder.glob(".*.partial*"):  # of a call that was killed
        old.unlink()
    plan = {"source": source.fingerprint, "shard_bytes": shard_bytes}
    if not (folder / PLAN).exists() or read_json(folder / PLAN) != plan:
        for old in [*folder.glob("*.tar"), *folder.glob("*.tar.json")]:
            old.unlink()
        write_json(folder / PLAN, plan)
    shards: list[Shard] = []
    members: list[Member] = []
    for position, names in enumerate(_groups(source, shard_bytes)):
        if (found := _finished(folder, position)) is not None:
            step(len(names))
        else:
            with ShardFile(folder, position) as file:
                for name, content in _read_all(source.root, names, workers):
                    file.add(name, content)
                    step(1)
            found = _note(file, folder)
        shards.append(found[0])
        members += found[1]
    sums = {name: _copy(source.root / name, out / name) for name in source.others}
    index = index_bytes(folder, shards, members)
    sums |= {f"{FOLDER}/{shard.name}": shard.sha256 for shard in shards}
    sums[f"{FOLDER}/{INDEX}"] = hashlib.sha256(index).hexdigest()
    write_text(folder / SUMS, "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
    with atomic_path(folder / INDEX) as temporary:
        temporary.write_bytes(index)


def _groups(source: Source, shard_bytes: int) -> Iterator[list[str]]:
    """Yield the names of each shard: as many as fit, at least one."""
    names: list[str] = []
    size = 0
    for image in source.images:
        if names and size + image.size > shard_bytes:
            yield names
            names, size = [], 0
        names.append(image.name)
        size += image.size
    yield names


def _note(file: ShardFile, folder: Path) -> tuple[Shard, list[Member]]:
    """Keep the list of a finished shard's members, for a later call."""
    shard = file.shard()
    done = {"sha256": shard.sha256, "size": shard.size, "members": [astuple(member) for member in file.members]}
    write_text(folder / f"{shard.name}.json", json.dumps(done))
    return shard, file.members


def _finished(folder: Path, position: int) -> tuple[Shard, list[Member]] | None:
    """Return a shard of an earlier call and its members, if it is whole."""
    path, about = folder / shard_name(position), folder / f"{shard_name(position)}.json"
    if not (path.is_file() and about.is_file()):
        return None
    done = read_json(about)
    if _sha256(path) != done["sha256"]:
        return None
    return Shard(name=path.name, size=done["size"], sha256=done["sha256"]), [Member(*member) for member in done["members"]]


def _read_all(root: Path, names: Sequence[str], workers: int) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents in order; threads read ahead, a shard at most."""
    data = DataFolder(root)
    chunks = [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
    pool = ThreadPoolExecutor(workers)
    try:
        for chunk, contents in zip(chunks, pool.map(lambda chunk: [data.read(name) for name in chunk], chunks), strict=True):
            yield from zip(chunk, contents, strict=True)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _copy(source: Path, target: Path) -> str:
    """Copy a file and return the SHA-256 of the copy."""
    try:
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror})", where=source) from error
    return _sha256(target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_sums(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise InputError("sums of the packed data set are missing", where=path, fix="Delete it and pack the data again")
    lines: Iterable[str] = path.read_text(encoding="utf-8", errors="replace").split("\n")
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines if line)}
    for name in sums:
        if bad_name(name):
            raise InputError("not a list of sums", where=path, expected="SHA-256, two blanks, a path below", got=repr(name[:80]))
    return sums
