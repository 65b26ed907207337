"""What `reproid embed` wrote to be drawn of a run: figures/<sampling>.json, read and checked."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveInt, model_validator

from reproid.report.model import Report, RunRecord
from reproid.report.results import ResultFile

BASE64 = r"^[A-Za-z0-9+/]*={0,2}$"


class FrameMap(ResultFile):
    """What a method sees of each frame of a clip."""

    kind: Literal["mask", "heat"]
    rows: PositiveInt
    columns: PositiveInt
    values: tuple[tuple[float, ...], ...]
    """Frame by frame, in row-major order."""

    @model_validator(mode="after")
    def _check(self) -> "FrameMap":
        if any(len(frame) != self.rows * self.columns for frame in self.values):
            raise ValueError("rows x columns values per frame")
        return self


class ExampleClip(ResultFile):
    """One clip; pictures are JPEGs in base64."""

    tracklet_id: str
    clip: int
    height: PositiveInt
    width: PositiveInt
    frames: tuple[Annotated[str, Field(pattern=BASE64)], ...]
    maps: dict[str, FrameMap]

    @model_validator(mode="after")
    def _check(self) -> "ExampleClip":
        if any(len(found.values) != len(self.frames) for found in self.maps.values()):
            raise ValueError("as many frames in a map as in the clip")
        return self


class Point(ResultFile):
    """A tracklet's place in the t-SNE."""

    tracklet_id: str
    pid: int
    camid: int
    x: float
    y: float


class RunFigures(ResultFile):
    """figures/<sampling>.json."""

    schema_number: Literal[1] = Field(alias="schema")
    run_id: str
    clips: PositiveInt
    means: dict[str, float]
    gmacs: NonNegativeFloat | None
    points: tuple[Point, ...]
    examples: tuple[ExampleClip, ...]


def find_figures(report: Report, record: RunRecord) -> RunFigures | None:
    """Return what there is to draw of a finished run; None where there is no readable file."""
    if record.state != "done":
        return None
    path = f"{record.run.folder}/figures/{record.run.settings.embed.sampling}.json"
    read = report.results.read(path, RunFigures)
    return read if isinstance(read, RunFigures) else None
