import hashlib
import time
from pathlib import Path

import numpy as np
import pytest

from reproid.datasets.download import Patience, download
from reproid.errors import InputError
from support.bad_server import Site, serving

CONTENT = np.random.default_rng(1).bytes(300_000)
SHA = hashlib.sha256(CONTENT).hexdigest()
QUICK = Patience(attempts=3, timeout_s=0.3, wait_s=0.001)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.mark.parametrize(
    "site",
    [
        Site(CONTENT),
        Site(CONTENT, cut_after=[70_000, 1, 0, 100_000]),
        Site(CONTENT, stall_s=0.6),
        Site(CONTENT, codes=[503, 429]),
        Site(CONTENT, cut_after=[70_000], ranges=False),
        Site(CONTENT, cut_after=[70_000], etag=None),
        Site(CONTENT, cut_after=[70_000], etag='W/"weak"'),
        Site(CONTENT, cut_after=[70_000], ranges_begin_later_by=5),
        Site(CONTENT, length=False),
    ],
    ids=["well", "truncates", "stalls", "busy", "knows no ranges", "no validator", "weak validator", "other range", "no length"],
)
@pytest.mark.parametrize("sha256", [SHA, None], ids=["known", "unknown"])
def test_download_arrives_whole(site: Site, sha256: str | None, tmp_path: Path) -> None:
    site = Site(**{**vars(site), "cut_after": list(site.cut_after), "codes": list(site.codes), "asked": []})
    with serving(site) as url:
        assert download(url, tmp_path / "set.bin", sha256=sha256, patience=QUICK) == SHA
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["set.bin"]


def test_download_truncated_is_resumed_where_it_broke_off(tmp_path: Path) -> None:
    site = Site(CONTENT, cut_after=[70_000])
    with serving(site) as url:
        download(url, tmp_path / "set.bin", patience=QUICK)
    assert site.asked == [None, "bytes=70000-"]


def test_download_later_call_continues_and_a_complete_file_is_not_fetched(tmp_path: Path) -> None:
    site = Site(CONTENT, cut_after=[70_000], codes=[])
    with serving(site) as url:
        with pytest.raises(
            InputError, match=r"not fetched after 1 attempts .*expected 300,000 bytes, got 70,000\. Try again later"
        ):
            download(url, tmp_path / "set.bin", patience=Patience(attempts=1, wait_s=0))
        steps: list[int] = []
        download(url, tmp_path / "set.bin", patience=QUICK, start=lambda total: steps.append)
        download(url, tmp_path / "set.bin", sha256=SHA)
    assert steps[0] == 70_000
    assert sum(steps) == 300_000
    assert site.asked == [None, "bytes=70000-"]


def test_download_file_that_changed_meanwhile_is_fetched_from_the_start(tmp_path: Path) -> None:
    other = CONTENT[::-1]
    for known in (None, hashlib.sha256(other).hexdigest()):
        target = tmp_path / str(known) / "set.bin"
        site = Site(CONTENT, cut_after=[70_000])
        with serving(site) as url:
            with pytest.raises(InputError, match="attempts without progress"):
                download(url, target, patience=Patience(attempts=1, wait_s=0))
            site.content, site.etag = other, '"two"'
            download(url, target, sha256=known, patience=QUICK)
        assert target.read_bytes() == other


def test_download_server_that_says_too_long_is_given_up(tmp_path: Path) -> None:
    message = "after 3 attempts without progress .*expected 300,010 bytes"
    with serving(Site(CONTENT, said_longer_by=10)) as url, pytest.raises(InputError, match=message):
        download(url, tmp_path / "set.bin", patience=QUICK)
    assert not (tmp_path / "set.bin").exists()


def test_download_server_that_says_too_short_is_found_out_by_the_digest(tmp_path: Path) -> None:
    message = f"another file than expected; expected SHA-256 {SHA}, got .*It was deleted"
    with serving(Site(CONTENT, said_longer_by=-10)) as url, pytest.raises(InputError, match=message):
        download(url, tmp_path / "set.bin", sha256=SHA, patience=QUICK)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "site",
    [Site(CONTENT, cut_after=[70_000], ranges_hold=b"forged"), Site(CONTENT, cut_after=[70_000], length=False)],
    ids=["forges a range", "breaks off without a length"],
)
def test_download_lie_that_nothing_gives_away_is_found_out_by_the_digest(site: Site, tmp_path: Path) -> None:
    with serving(site) as url:
        with pytest.raises(InputError, match=f"another file than expected; expected SHA-256 {SHA}, got .*It was deleted"):
            download(url, tmp_path / "set.bin", sha256=SHA, patience=QUICK)
        assert list(tmp_path.iterdir()) == []
        assert download(url, tmp_path / "set.bin", sha256=SHA, patience=QUICK) == SHA
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


def test_download_server_that_stalls_for_ever_is_given_up_in_the_time_said(tmp_path: Path) -> None:
    site = Site(CONTENT, stall_s=2, stalls=9)
    started = time.monotonic()
    with serving(site) as url:
        with pytest.raises(InputError, match=r"after 2 attempts without progress \(.*timed out"):
            download(url, tmp_path / "set.bin", patience=Patience(attempts=2, timeout_s=0.2, wait_s=0.001))
        assert time.monotonic() - started < 20
    part = (tmp_path / "set.bin.part").read_bytes()
    assert len(part) >= len(CONTENT) // 2
    assert CONTENT.startswith(part)


@pytest.mark.parametrize(
    ("site", "message"),
    [
        (Site(CONTENT, codes=[404]), "the server refuses .404 Not Found.. Look at the authors' page"),
        (Site(CONTENT, codes=[500] * 9), "after 3 attempts without progress .500 Internal Server Error"),
        (Site(b"<html>", kind="text/html; charset=utf-8"), "the server sends a page in the place of the file"),
        (Site(CONTENT, redirect="file:///etc/passwd"), "the server refuses .302"),
        (Site(CONTENT, redirect="ftp://127.0.0.1/x"), "(unknown url type|refuses .302|not fetched)"),
    ],
    ids=["gone", "broken", "a page", "to a file", "to ftp"],
)
def test_download_what_cannot_be_had_is_said(site: Site, message: str, tmp_path: Path) -> None:
    with serving(site) as url, pytest.raises(InputError, match=message):
        download(url, tmp_path / "set.bin", patience=QUICK)
    assert not (tmp_path / "set.bin").exists()


def test_download_other_schemes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not an address that is fetched from"):
        download("file:///etc/passwd", tmp_path / "set.bin")


def test_download_existing_other_file_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "set.bin").write_bytes(b"other")
    with pytest.raises(InputError, match="another file than expected; .*Delete it and fetch it again"):
        download("http://127.0.0.1:9/set.bin", tmp_path / "set.bin", sha256=SHA)
    assert (tmp_path / "set.bin").read_bytes() == b"other"
