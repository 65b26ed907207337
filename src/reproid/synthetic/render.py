"""Rendering a whole set into a folder: by several workers, the same bytes by any number of them."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reproid.catalog.synthetic import RENDERER_REVISION, SyntheticSpec
from reproid.errors import InputError
from reproid.files import atomic_path, read_json, write_json
from reproid.locks import exclusive
from reproid.synthetic import COMPLETE, DECLARED
from reproid.synthetic._work import render_all
from reproid.synthetic.layouts import LayoutWriter, layout_writer
from reproid.synthetic.plan import World, make_world

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A complete set on disk."""

    folder: Path
    layout: str
    counts: dict[str, int]
    """By the names in `reproid.datasets.index.COUNT_NAMES`."""
    digest: str
    """SHA-256 of all labels and images: equal in all layouts and for any number of workers."""
    fresh: bool
    """False when the set was there already."""


def render_dataset(
    spec: SyntheticSpec, out: Path | str, *, layout: str = "mars", workers: int = 1, progress: bool = False
) -> Rendered:
    """Render a set; a complete one with the same parameters is left as it is, an interrupted one is started over.

    While another process renders into the folder, this one waits, and takes what that one has made.

    Args:
        spec: the set's parameters.
        out: folder to render into; new, empty, or of an earlier call with the same parameters.
        layout: name of an official layout.
        workers: processes, >= 1; the result does not depend on it.
        progress: show a progress bar on stderr.

    Raises:
        InputError: if the folder holds something else, or the layout cannot hold the set.
    """
    out, writer = Path(out), layout_writer(layout)
    writer.check(spec)
    record = {"schema": SCHEMA, "layout": layout, "renderer_revision": RENDERER_REVISION, "spec": spec.model_dump(mode="json")}
    if _is_complete(out, record):
        return _found(out, layout)
    with exclusive(out.parent / f".{out.name}.lock", f"another process renders {out}"):
        if _is_complete(out, record):
            return _found(out, layout)
        return _render(spec, out, writer, record, workers, progress)


def _found(out: Path, layout: str) -> Rendered:
    done = read_json(out / COMPLETE)
    return Rendered(folder=out, layout=layout, counts=done["counts"], digest=done["digest"], fresh=False)


def _render(
    spec: SyntheticSpec, out: Path, writer: LayoutWriter, record: dict[str, Any], workers: int, progress: bool
) -> Rendered:
    write_json(out / DECLARED, record)
    world = make_world(spec)
    digest = hashlib.sha256()
    with _truth_file(spec, out) as write, _progress_bar(len(world.tracklets), progress) as step:
        for part, truth in render_all(world, out, writer.name, workers):
            digest.update(part)
            write(truth)
            step()
    if spec.truth:
        _write_persons(world, out)
    writer.write_info(world, out)
    counts = {name: n for name, n in world.counts().items() if not (writer.own_splits and name == "query_tracklets")}
    write_json(out / COMPLETE, {**record, "counts": counts, "digest": digest.hexdigest()})
    return Rendered(folder=out, layout=writer.name, counts=counts, digest=digest.hexdigest(), fresh=True)


def _is_complete(out: Path, record: dict[str, Any]) -> bool:
    """Tell whether the set is there; refuse a folder that holds anything else."""
    if out.exists() and not out.is_dir():
        raise InputError("not a folder", where=out, fix="Give another --out")
    for name in (COMPLETE, DECLARED):
        if not (out / name).exists():
            continue
        found = read_json(out / name)
        differing = _differing(found, record) if isinstance(found, dict) else ["everything"]
        if differing:
            raise InputError(
                "the folder holds a set rendered with other parameters",
                where=out / name,
                expected=f"the same {', '.join(differing)}",
                got="others",
                fix="Give another --out, or delete the folder first",
            )
        return name == COMPLETE
    if out.is_dir() and any(out.iterdir()):
        raise InputError(
            "the folder is not empty and holds no synthetic set", where=out, fix="Give a new or empty folder as --out"
        )
    return False


def _differing(found: dict[str, Any], record: dict[str, Any]) -> list[str]:
    keys = [key for key in ("schema", "layout", "renderer_revision") if found.get(key) != record[key]]
    old, new = found.get("spec", {}), record["spec"]
    return keys + [
        f"{key} ({old.get(key)}, not {new.get(key)})" for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)
    ]


@contextmanager
def _truth_file(spec: SyntheticSpec, out: Path) -> Iterator[Callable[[Any], None]]:
    """Yield what takes the truth of one tracklet after the other; it does nothing where no truth is asked for."""
    if not spec.truth:
        yield lambda _table: None
        return
    import pyarrow.parquet as pq

    from reproid.synthetic.truth import IMAGES

    with (
        atomic_path(out / "truth" / "images.parquet") as temporary,
        pq.ParquetWriter(temporary, IMAGES, compression="zstd") as writer,
    ):
        yield writer.write_table


def _write_persons(world: World, out: Path) -> None:
    import pyarrow.parquet as pq

    from reproid.synthetic.truth import persons_table

    with atomic_path(out / "truth" / "persons.parquet") as temporary:
        pq.write_table(persons_table(world), temporary, compression="zstd")


@contextmanager
def _progress_bar(total: int, show: bool) -> Iterator[Any]:
    from tqdm import tqdm

    with tqdm(total=total, unit="tracklet", desc="render", disable=not show) as bar:
        yield lambda: bar.update(1)
