"""Evaluation protocols as data: one YAML file per protocol, read without numpy so that the catalog stays quick."""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from reproid.catalog._yaml import Strict, load_yaml
from reproid.errors import InputError, unknown_name

FOLDER = Path(__file__).resolve().parent.parent / "retrieval" / "protocols"
Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Camids = Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]


class Splits(Strict):
    """Over which splits a published number is averaged. A protocol scores one split; `reproid aggregate` averages."""

    count: PositiveInt = 1
    """Number of splits that the mean needs."""
    only: NonNegativeInt | None = None
    """The one split that is scored, 0-based; null: any."""
    set: Name | None = None
    """Name of the split set; null: any one set, never a mixture of two."""

    @model_validator(mode="after")
    def _check(self) -> "Splits":
        if self.only is not None and self.count != 1:
            raise ValueError("count: 1 where 'only' names a single split")
        return self


class Counts(Strict):
    """What the complete, real data give under the protocol: a check for people, never an input of a score."""

    queries: PositiveInt | None = None
    scored: PositiveInt | None = None
    gallery: PositiveInt | None = None
    """Tracklets in the gallery, junk included where the protocol includes it."""


class Protocol(Strict):
    """One way to turn distances into CMC, mAP and mINP. Every field changes the numbers or says where they are used."""

    name: Name
    """The file's name without its suffix."""
    revision: PositiveInt
    """Raised whenever a field that changes numbers changes."""
    dataset: str | None = None
    """Data set that the protocol belongs to; null: any."""
    summary: str
    """One sentence for readers of a table."""
    used_by: tuple[str, ...] = ()
    """Papers or public code that score so."""
    family: Name | None = None
    """Protocols of one family score the same data and are compared with each other; the family is named by its standard."""

    gallery: Literal["with-queries", "without-queries", "as-given"]
    """with-queries: gallery and query tracklets; without-queries: tracklets that are also queries are taken out;
    as-given: what the data set marks as gallery."""
    junk: Literal["excluded", "ignored"] = "excluded"
    """Tracklets of pid -1. excluded: not in the gallery; ignored: counted in the gallery, left out of every ranking.
    The scores are the same; the gallery's count is not."""
    remove: Literal["same-person-same-camera", "none"] = "same-person-same-camera"
    """Gallery tracklets left out of one query's ranking."""
    cameras: Literal["per-tracklet", "flat-per-frame"] = "per-tracklet"
    """flat-per-frame: the camera list is one entry per frame of the clips (min(ceil(n/4), 41) * 4 per tracklet) and only its
    head is read, so that cameras and tracklets do not match: a defect of released code, kept to reproduce it."""
    query_cameras: Camids | None = None
    """Cameras (0-based) whose queries are scored; null: all."""
    gallery_cameras: Camids | None = None
    """Cameras (0-based) in the gallery; null: all."""
    ap: Literal["step", "trapezoid"] = "step"
    """step: mean of the precisions at the hits; trapezoid: mean of the precisions at and just before each hit."""
    ties: Literal["distance-then-gallery-index"] = "distance-then-gallery-index"
    """Order of gallery tracklets at one distance."""
    distance: Literal["cosine", "euclidean"] = "cosine"
    """How embeddings are compared; given distances are taken as they are, unless their file names another."""
    pooling: Literal["mean"] | None = "mean"
    """How the clips of a tracklet must have become one embedding; null: free."""
    sampling: Literal["dense", "strided"] | None = None
    """Frame sampling that the embeddings must have been made with; null: free."""
    frames_per_clip: PositiveInt | None = None
    """Frames per test clip that the embeddings must have been made with; null: free."""
    splits: Splits = Splits()
    expected: Counts = Counts()
    """Counts on the complete, real data."""


@cache
def get_protocol(name: str) -> Protocol:
    """Return the protocol called ``name``.

    Raises:
        InputError: if there is no such protocol (the nearest name is suggested) or its file is invalid.
    """
    path = FOLDER / f"{name}.yaml"
    if name not in protocol_names():
        raise unknown_name("protocol", name, list(protocol_names()))
    return read_protocol(path)


@cache
def protocol_names() -> tuple[str, ...]:
    """Return the names of all protocols, sorted; reads no file."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def load_protocols() -> dict[str, Protocol]:
    """Return all protocols by name, sorted."""
    return {name: get_protocol(name) for name in protocol_names()}


def family_of(name: str) -> tuple[Protocol, ...]:
    """Return the protocols of the family that the protocol called ``name`` belongs to: its standard first, the others by name.

    Raises:
        InputError: if there is no such protocol.
    """
    standard = get_protocol(name).family or name
    members = [protocol for protocol in load_protocols().values() if (protocol.family or protocol.name) == standard]
    return tuple(sorted(members, key=lambda protocol: (protocol.name != standard, protocol.name)))


def read_protocol(path: Path | str) -> Protocol:
    """Read one protocol file.

    Raises:
        InputError: if the file is invalid or is not named after its protocol.
    """
    protocol = load_yaml(path, Protocol)
    if protocol.name != Path(path).stem:
        raise InputError(
            "the file is not named after its protocol", where=path, expected=f"name: {Path(path).stem}", got=protocol.name
        )
    return protocol
