import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reproid.catalog.synthetic import SyntheticSpec
from reproid.datasets.layouts import build_index
from reproid.errors import InputError
from reproid.synthetic import COMPLETE
from reproid.synthetic.frames import draw_frames
from reproid.synthetic.plan import make_world
from reproid.synthetic.render import Rendered, render_dataset


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_render_dataset_any_number_of_workers_gives_equal_bytes(rendered: Rendered, tiny: SyntheticSpec, tmp_path: Path) -> None:
    other = render_dataset(tiny, tmp_path / "set", workers=2)
    assert other.digest == rendered.digest
    assert _bytes(tmp_path / "set") == _bytes(rendered.folder)


def test_render_dataset_other_seed_gives_other_digest(rendered: Rendered, tiny: SyntheticSpec, tmp_path: Path) -> None:
    assert render_dataset(tiny.model_copy(update={"seed": 6}), tmp_path / "set").digest != rendered.digest


def test_render_dataset_index_shows_the_planned_labels(rendered: Rendered, tiny: SyntheticSpec) -> None:
    index = build_index("tiny", rendered.folder, layout="mars", expected=rendered.counts)
    planned = {f"{t.key}F001": (t.pid, t.camid, t.frames) for t in make_world(tiny).tracklets}
    assert {t.tracklet_id: (t.pid, t.camid, len(t.frames)) for t in index.records.values()} == planned
    queries = {t.tracklet_id for t in index.tracklets("query")}
    assert queries == {f"{t.key}F001" for t in make_world(tiny).tracklets if t.query}
    assert {t.pid for t in index.tracklets("gallery")} >= {-1, 0}


def test_render_dataset_images_have_the_size_asked_for(rendered: Rendered) -> None:
    images = sorted(rendered.folder.rglob("*.jpg"))
    assert len(images) == rendered.counts["train_frames"] + rendered.counts["test_frames"]
    assert {Image.open(path).size for path in images} == {(32, 64)}


def test_render_dataset_images_hold_the_drawn_pixels(rendered: Rendered, tiny: SyntheticSpec) -> None:
    world = make_world(tiny)
    tracklet = world.tracklets[0]
    drawn = next(iter(draw_frames(world, tracklet)))[0].astype(int)
    stored = np.asarray(Image.open(rendered.folder / "bbox_train/0001" / f"{tracklet.key}F001.jpg")).astype(int)
    assert np.abs(drawn - stored).mean() < 8


def test_render_dataset_again_leaves_the_set_alone(rendered: Rendered, tiny: SyntheticSpec) -> None:
    before = {path: path.stat().st_mtime_ns for path in rendered.folder.rglob("*")}
    again = render_dataset(tiny, rendered.folder)
    assert not again.fresh
    assert (again.digest, again.counts) == (rendered.digest, rendered.counts)
    assert {path: path.stat().st_mtime_ns for path in rendered.folder.rglob("*")} == before


def test_render_dataset_two_processes_at_once_render_once(tiny: SyntheticSpec, tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        both = [pool.submit(render_dataset, tiny, tmp_path / "set") for _ in range(2)]
        results = [each.result() for each in both]
    assert sorted(result.fresh for result in results) == [False, True]
    assert results[0].digest == results[1].digest
    assert [path.name for path in tmp_path.iterdir()] == ["set"], "no lock is left"


def test_render_dataset_interrupted_set_is_completed(rendered: Rendered, tiny: SyntheticSpec, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    render_dataset(tiny, folder)
    (folder / COMPLETE).unlink()
    victim = sorted(folder.rglob("*.jpg"))[3]
    victim.write_bytes(victim.read_bytes()[:100])
    assert render_dataset(tiny, folder).fresh
    assert _bytes(folder) == _bytes(rendered.folder)


def test_render_dataset_other_parameters_are_refused_and_nothing_is_changed(tiny: SyntheticSpec, tmp_path: Path) -> None:
    render_dataset(tiny, tmp_path / "set")
    before = _bytes(tmp_path / "set")
    with pytest.raises(InputError, match=r"expected the same noise \(1.0, not 0.5\).*Give another --out"):
        render_dataset(tiny.model_copy(update={"noise": 0.5}), tmp_path / "set")
    assert _bytes(tmp_path / "set") == before


def test_render_dataset_foreign_folder_is_refused(tiny: SyntheticSpec, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="is not empty and holds no synthetic set"):
        render_dataset(tiny, tmp_path)
    with pytest.raises(InputError, match="letter.txt: not a folder"):
        render_dataset(tiny, tmp_path / "letter.txt")


def test_render_dataset_more_cameras_than_the_layout_names_is_refused(tiny: SyntheticSpec, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot hold such a set: cameras; expected at most 9, got 12"):
        render_dataset(tiny.model_copy(update={"cameras": 12}), tmp_path / "set", layout="mars")
    assert not (tmp_path / "set").exists()


def test_render_dataset_unknown_layout_names_the_nearest(tiny: SyntheticSpec, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown layout; .*got 'marz'. Did you mean 'mars'\?"):
        render_dataset(tiny, tmp_path / "set", layout="marz")


def test_render_dataset_marker_holds_spec_and_digest(rendered: Rendered, tiny: SyntheticSpec) -> None:
    marker = json.loads((rendered.folder / COMPLETE).read_text())
    assert marker["spec"] == tiny.model_dump(mode="json")
    assert marker["digest"] == rendered.digest


def test_draw_frames_cameras_look_different_and_persons_alike(tiny: SyntheticSpec) -> None:
    spec = tiny.model_copy(update={"cameras_per_person": (3, 3), "occlusion": 0.0, "cut_bodies": 0.0})
    world = make_world(spec)
    means = {c: [] for c in range(3)}
    for tracklet in (t for t in world.tracklets if t.pid > 0 and t.number == 1):
        means[tracklet.camid].append(next(iter(draw_frames(world, tracklet)))[0].mean(axis=(0, 1)))
    between = np.std([np.mean(values, axis=0) for values in means.values()], axis=0).mean()
    assert between > 8
