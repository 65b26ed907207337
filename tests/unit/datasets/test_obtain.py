import hashlib
import io
import shutil
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from reproid.catalog.datasets import Archive
from reproid.catalog.synthetic import SyntheticSpec
from reproid.cli.data import data
from reproid.datasets.check import check_data
from reproid.datasets.download import Patience
from reproid.datasets.layouts import build_index
from reproid.datasets.obtain import SUMS, obtain, read_sums
from reproid.errors import InputError
from reproid.synthetic.render import render_dataset
from support.bad_server import Site, serving

SPEC = SyntheticSpec(
    train_persons=4, test_persons=4, cameras=2, cameras_per_person=(2, 2), tracklets_per_camera=(1, 1), frames=(2, 2),
    height=32, width=16, distractors=0, junk=0,
)  # fmt: skip
QUICK = Patience(attempts=2, timeout_s=2, wait_s=0.001)


def zipped(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as content:
        for name, text in files.items():
            content.writestr(name, text)
    return out.getvalue()


CONTENT = zipped(a="1", b="2")
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_obtain_unknown_digest_is_recorded_on_first_use_and_held_from_then_on(tmp_path: Path) -> None:
    store, folder = tmp_path / "store", tmp_path / "set"
    site = Site(CONTENT, cut_after=[40])
    with serving(site) as url:
        archive = Archive(url=url)
        first = obtain([archive], store=store, folder=folder, patience=QUICK)[0]
        assert (first.known, first.files, first.fresh) == (False, 2, 2)
        assert (store / SUMS).read_text() == f"{SHA}  set.bin\n"
        assert obtain([archive], store=store, folder=folder, patience=QUICK)[0].known
        (store / "set.bin").unlink()
        site.content, site.etag = zipped(a="1", b="3"), '"two"'
        with pytest.raises(InputError, match=f"another file than expected; expected SHA-256 {SHA}"):
            obtain([archive], store=store, folder=folder, patience=QUICK)
    assert (folder / "b").read_text() == "2"


def test_obtain_server_that_says_too_short_is_recorded_nowhere_and_asked_again(tmp_path: Path) -> None:
    site = Site(CONTENT, said_longer_by=-30)
    with serving(site) as url:
        archive = Archive(url=url)
        with pytest.raises(InputError, match=r"(broken or cut off|bsdtar)"):
            obtain([archive], store=tmp_path / "store", folder=tmp_path / "set", patience=QUICK)
        assert not (tmp_path / "store" / SUMS).exists()
        site.said_longer_by = 0
        assert obtain([archive], store=tmp_path / "store", folder=tmp_path / "set", patience=QUICK)[0].sha256 == SHA


def test_obtain_file_of_the_user_is_unpacked_where_it_lies(tmp_path: Path) -> None:
    mine = tmp_path / "mine.zip"
    mine.write_bytes(CONTENT)
    store = tmp_path / "store"
    assert obtain([mine], store=store, folder=tmp_path / "set")[0].files == 2
    assert read_sums(store) == {"mine.zip": SHA}
    mine.write_bytes(zipped(a="other"))
    with pytest.raises(InputError, match="another file than at first; .*delete its line in"):
        obtain([mine], store=store, folder=tmp_path / "set")
    with pytest.raises(InputError, match="archive not found"):
        obtain([tmp_path / "none.zip"], store=store, folder=tmp_path / "set")


@pytest.mark.parametrize("kind", ["zip", "gztar"])
@pytest.mark.parametrize("layout", ["mars", "ls-vid", "ilids-vid", "prid-2011", "dukemtmc-videoreid"])
def test_obtain_archive_of_every_layout_is_read_as_the_tree(layout: str, kind: str, tmp_path: Path) -> None:
    tree = render_dataset(SPEC, tmp_path / "tree", layout=layout).folder
    archive = Path(shutil.make_archive(str(tmp_path / "set"), kind, root_dir=tree))
    obtain([archive], store=tmp_path / "store", folder=tmp_path / "set")
    assert check_data(tmp_path / "set", layout=layout, counts={"persons": 8}, cameras={}).passed
    assert build_index("set", tmp_path / "set", layout=layout) == build_index("set", tree, layout=layout)


def test_read_sums_other_lines_are_named(tmp_path: Path) -> None:
    (tmp_path / SUMS).write_text(f"{SHA}  a\nno sum\n")
    with pytest.raises(InputError, match="SHA256SUMS, line 2: not a line of sha256sum"):
        read_sums(tmp_path)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y.zip", "http://x/", "x.zip"])
def test_archive_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="an http or https address that ends in a file's name"):
        Archive(url=url)


def test_get_fetches_what_is_declared(project: Path) -> None:
    text = (project / "datasets.yaml").read_text()
    with serving(Site(CONTENT)) as url:
        (project / "datasets.yaml").write_text(text.replace("http://www.eecs.qmul.ac.uk/~xiatian/iLIDS-VID/iLIDS-VID.tar", url))
        out = CliRunner().invoke(data, ["get", "--dataset", "ilids-vid", "--out", "done.json"], catch_exceptions=False).output
    assert f"set.bin: SHA-256 {SHA} recorded; 2 files, 2 new" in out
    assert (project / "data/raw/ilids-vid/a").read_text() == "1"
    assert SHA in (project / "done.json").read_text()


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (
            "ls-vid",
            r"no automatic download. Page: https://www.pkuvmc.com/dataset.html . Form: .* signed .* Folder: .*data/raw/ls-vid",
        ),
        ("prid-2011", r"Page: https://www.tugraz.at.* Folder: .*data/raw/prid-2011 . Download prid_2011.zip"),
        ("mars", r"Page: https://zheng-lab.* Folder: .*data/raw/mars"),
        ("dukemtmc-videoreid", r"withdrawn and not offered; got Its authors withdrew it in 2019 .* goes to .*data/raw/dukemtmc"),
        ("demo-mars", "is rendered, not fetched. Run: reproid data synth --dataset demo-mars"),
    ],
)
def test_get_what_is_not_fetched_is_explained(project: Path, dataset: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        CliRunner().invoke(data, ["get", "--dataset", dataset], catch_exceptions=False)
    assert not (project / "data").exists()


def test_get_copy_that_is_there_is_taken_as_it_is(project: Path) -> None:
    (project / "data/raw/dukemtmc-videoreid").mkdir(parents=True)
    result = CliRunner().invoke(data, ["get", "--dataset", "dukemtmc-videoreid"], catch_exceptions=False)
    assert "there; nothing is fetched" in result.output
    (project / "mine.zip").write_bytes(CONTENT)
    result = CliRunner().invoke(data, ["get", "--dataset", "dukemtmc-videoreid", "--archive", "mine.zip"], catch_exceptions=False)
    assert "2 files, 2 new" in result.output
    assert (project / "data/raw/dukemtmc-videoreid/b").read_text() == "2"


def test_addresses_of_archives_stand_in_datasets_yaml_alone() -> None:
    source = Path(__file__).resolve().parents[3]
    for path in [*(source / "src/reproid/datasets").rglob("*.py"), *(source / "src/reproid/cli").glob("data*.py")]:
        assert "://" not in path.read_text(encoding="utf-8"), path
