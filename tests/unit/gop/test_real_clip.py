"""On real footage (../shared/data), beside some clones only."""

import csv
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from reproid.gop import group_of_pictures
from reproid.gop.block_matching import ExhaustiveBlockMatching
from reproid.gop.luma import luma_of
from reproid.gop.warp import warp

FOOTAGE = Path(__file__).resolve().parents[4] / "shared" / "data" / "intel-sample-videos" / "one-by-one-person-detection.mp4"


def real_clips(count: int) -> list[torch.Tensor]:
    """Clips of eight consecutive frames of one person, uint8 [8, 256, 128, 3]."""
    with FOOTAGE.with_suffix(".boxes.csv").open(newline="") as file:
        boxes = [{name: int(value) for name, value in row.items()} for row in csv.DictReader(file)]
    clips, crops = [], []
    with av.open(str(FOOTAGE)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            here = [box for box in boxes if box["frame"] == number]
            if here:
                x, y, w, h = (here[0][name] for name in "xywh")
                picture = frame.to_image().crop((x, y, x + w, y + h)).resize((128, 256), Image.Resampling.BILINEAR)
                crops.append((here[0]["id"], np.asarray(picture)))
            if len(crops) >= 8 and crops[-8][0] == crops[-1][0]:
                clips.append(torch.from_numpy(np.stack([image for _, image in crops[-8:]])))
                crops = []
            if len(clips) == count:
                return clips
    raise AssertionError(f"{FOOTAGE}: fewer than {count} clips")


@pytest.mark.skipif(not FOOTAGE.exists(), reason="the real clip is not beside this clone (../shared/data)")
def test_h264_pairs_warps_real_people_at_least_as_well_as_an_exhaustive_search() -> None:
    """Peak signal-to-noise ratio of the warped I-frame, against exhaustive SAD within +-16 whole pixels."""
    search = ExhaustiveBlockMatching(reach_px=16, quarters=False)
    errors = []
    for clip in real_clips(8):
        found = group_of_pictures(clip, method="h264-pairs")
        searched = warp(found.frames[0], torch.from_numpy(search(luma_of(found.frames)).motion))
        other = (found.frames[1:].float() - searched.float()) ** 2
        errors.append(((found.residual**2).mean(), other.mean()))
    ours, theirs = (-10 * torch.log10(torch.stack(values) / 255**2).mean() for values in zip(*errors, strict=True))
    assert ours >= theirs
