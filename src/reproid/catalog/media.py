"""The test clips of a data set as H.264 streams with motion: planned from a run whose method requires groups of pictures."""

from pydantic import PositiveInt

from reproid.catalog._yaml import Strict
from reproid.catalog.datasets import DataSet
from reproid.catalog.digest import digest
from reproid.catalog.runs import Run
from reproid.catalog.settings import Embed, Gop

REVISION: int = 2
"""Raised when equal plans would give other streams or other motion."""


class PlannedMedia(Strict):
    """One set of streams and its identity. Runs that differ in nothing else share it: method, seed, split, training."""

    media_id: str
    revision: PositiveInt = REVISION
    dataset: str
    data: DataSet
    """As declared."""
    height: PositiveInt
    """H of the clips, pixels."""
    width: PositiveInt
    """W of the clips, pixels."""
    embed: Embed
    """Which frames a clip takes."""
    method: str
    """How motion is found."""

    @property
    def folder(self) -> str:
        """Path below results/."""
        return f"media/{self.dataset}/{self.media_id}"


def plan_media(run: Run) -> PlannedMedia | None:
    """Return the media that a run reads at test time; None where its method needs no group of pictures."""
    settings = run.settings
    if settings.gop is None:
        return None
    clips, embed = settings.clips, settings.embed
    return make_media(run.dataset, run.data, height=clips.height, width=clips.width, embed=embed, gop=settings.gop)


def make_media(dataset: str, data: DataSet, *, height: int, width: int, embed: Embed, gop: Gop) -> PlannedMedia:
    """Return the plan of these test clips; equal arguments give equal ids."""
    identity = {
        "revision": REVISION,
        "dataset": dataset,
        "data": data.identity(),
        "size": [height, width],
        "sampling": [embed.sampling, embed.frames, embed.max_clips],
        "method": gop.method,
    }
    return PlannedMedia(
        media_id=digest(identity), dataset=dataset, data=data, height=height, width=width, embed=embed, method=gop.method
    )
