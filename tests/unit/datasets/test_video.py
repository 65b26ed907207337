"""Foreign videos: every codec gives its frames in the order of display; what is damaged is an error with file and frame."""

from pathlib import Path

import av
import numpy as np
import pytest

from reproid.datasets.data_folder import DataFolder
from reproid.datasets.layouts import build_index
from reproid.datasets.video import UnseenDamageWarning, read_video
from reproid.errors import InputError
from support.videos import CODECS, FRAMES, HEIGHT, STEP, WIDTH, Change, sliding_picture, with_packet, write_video


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("videos")
    return {codec: write_video(folder, codec) for codec in CODECS}


def _copy(path: Path, folder: Path) -> Path:
    (folder / path.name).write_bytes(path.read_bytes())
    return folder / path.name


def _read(path: Path) -> int:
    return len(list(read_video(path)))


@pytest.mark.parametrize("codec", CODECS)
def test_read_video_any_codec_gives_all_frames_in_order(videos: dict[str, Path], codec: str) -> None:
    expected = sliding_picture().astype(float)
    for picture in read_video(videos[codec]):
        assert np.abs(picture.frame.to_ndarray(format="rgb24") - expected[picture.number]).mean() < 6
    assert picture.number == FRAMES - 1


def test_videos_hold_b_frames(videos: dict[str, Path]) -> None:
    for codec in ("h264-b-frames", "mpeg4"):
        with av.open(str(videos[codec])) as container:
            assert av.video.frame.PictureType.B in {frame.pict_type for frame in container.decode(video=0)}


@pytest.mark.parametrize("codec", CODECS)
def test_folder_data_set_turns_any_codec_into_crops(videos: dict[str, Path], codec: str, tmp_path: Path) -> None:
    path = _copy(videos[codec], tmp_path)
    box = ((WIDTH - 32) // 2, 8, 32, 48)
    lines = [f"{t},7,{','.join(map(str, box))}" for t in range(FRAMES)]
    path.with_suffix(".csv").write_text("\n".join(["frame,id,x,y,w,h", *lines]))
    index = build_index("mine", tmp_path, layout="folder")
    (tracklet,) = index.records.values()
    assert len(tracklet.frames) == FRAMES
    from reproid.clips.images import read_frames

    crops = read_frames(DataFolder(tmp_path), tracklet.frames, declared={}, height=48, width=32).permute(0, 2, 3, 1).numpy()
    left, top, width, height = box
    expected = sliding_picture()[:, top : top + height, left : left + width].astype(float)
    assert np.abs(crops - expected).mean() < 8
    assert np.abs(crops[:-1] - expected[1:]).mean() > 8, f"frames {STEP} px apart must not be taken for each other"


DAMAGE = [
    *[(codec, "cut off") for codec in ("h264-mkv", "mjpeg", "ffv1")],
    *[(codec, "zeros") for codec in ("h264-mkv", "mjpeg", "vp9", "ffv1")],
    *[(codec, "noise") for codec in ("h264-mkv", "ffv1")],
]


@pytest.mark.parametrize(("codec", "kind"), DAMAGE, ids=[f"{codec}-{kind}" for codec, kind in DAMAGE])
def test_read_video_damaged_packet_never_passes_as_clean(videos: dict[str, Path], codec: str, kind: str, tmp_path: Path) -> None:
    whole = _copy(videos[codec], tmp_path)
    assert _read(with_packet(whole, 5, bytes)) == FRAMES, "the copy itself must be clean"
    with pytest.raises(
        InputError, match=r"changed\.mkv, frame \d+: the video is damaged \(.+\); expected an undamaged video\. Restore"
    ):
        _read(with_packet(whole, 5, Change(kind)))


def test_read_video_format_that_hides_damage_is_warned_of(videos: dict[str, Path], recwarn: pytest.WarningsRecorder) -> None:
    with pytest.warns(UnseenDamageWarning, match=r"vp9\.webm: damage within vp9 video cannot be seen"):
        _read(videos["vp9"])
    for codec in set(CODECS) - {"vp9"}:
        _read(videos[codec])
    assert not [one for one in recwarn if one.category is UnseenDamageWarning]


def test_read_video_truncated_jpeg_is_named_though_a_picture_comes_out(videos: dict[str, Path], tmp_path: Path) -> None:
    damaged = with_packet(_copy(videos["mjpeg"], tmp_path), 5, Change("cut off"))
    with av.open(str(damaged)) as container:
        assert len(list(container.decode(video=0))) == FRAMES
    with pytest.raises(InputError, match=r"changed\.mkv, frame 5: the video is damaged \(a JPEG is cut off\)"):
        _read(damaged)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("share", [0.4, 0.9])
def test_read_video_cut_off_file_is_an_input_error(videos: dict[str, Path], codec: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / videos[codec].name
    content = videos[codec].read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=rf"{path.name}"):
        _read(path)


def test_read_video_frames_of_changing_size_name_the_frame(tmp_path: Path) -> None:
    pieces = []
    for width in (96, 64):
        path = tmp_path / f"{width}.h264"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast", "x264-params": "threads=1"})
            stream.width, stream.height, stream.pix_fmt = width, HEIGHT, "yuv420p"
            for t in range(3):
                frame = av.VideoFrame.from_ndarray(np.full((HEIGHT, width, 3), 40 * t, np.uint8), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        pieces.append(path.read_bytes())
    both = tmp_path / "both.h264"
    both.write_bytes(b"".join(pieces))
    with pytest.raises(InputError, match=r"both\.h264, frame 3: the video changes size; expected 96 x 64, got 64 x 64"):
        _read(both)


def test_read_video_unknown_codec_is_named(videos: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "odd.mkv"
    content = videos["ffv1"].read_bytes()
    assert b"V_FFV1" in content
    path.write_bytes(content.replace(b"V_FFV1", b"V_XYZ1"))
    with pytest.raises(InputError, match=r"odd\.mkv.*(no decoder|damaged|no picture)"):
        _read(path)


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 50])
def test_read_video_no_video_is_an_input_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.mp4").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.mp4"):
        _read(tmp_path / "x.mp4")
    with pytest.raises(InputError, match=r"y\.mp4: video not found"):
        _read(tmp_path / "y.mp4")


def test_read_video_leaves_the_log_level_alone(videos: dict[str, Path]) -> None:
    before = av.logging.get_level()
    _read(videos["mpeg4"])
    assert av.logging.get_level() == before
