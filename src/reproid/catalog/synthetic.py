"""A synthetic data set as declared: every parameter of the renderer. It is part of a run's identity."""

from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from reproid.catalog._yaml import Strict

RENDERER_REVISION: int = 5
"""Raised when equal parameters would give other pixels or other labels."""

Share = Annotated[float, Field(ge=0, le=1)]
Strength = Annotated[float, Field(ge=0, le=2)]
Range = tuple[PositiveInt, PositiveInt]


class SyntheticSpec(Strict):
    """Parameters of one synthetic set. Strengths are factors: 0 is off, 1 is the default difficulty."""

    seed: NonNegativeInt = 0
    """Equal seeds and parameters give equal bytes."""
    train_persons: PositiveInt = 32
    """Persons with known identity in the training part."""
    test_persons: PositiveInt = 32
    """Other persons, in the test part."""
    cameras: Annotated[int, Field(ge=2, le=15)] = 4
    """Cameras of the site; a layout may allow fewer."""
    cameras_per_person: Range = (2, 4)
    """Fewest and most cameras that see one person; cut to the number of cameras."""
    tracklets_per_camera: Range = (1, 2)
    """Fewest and most tracklets of one person in one camera that sees the person."""
    frames: Range = (8, 24)
    """Fewest and most frames of a tracklet that is not cut short."""
    short_tracklets: Share = 0.05
    """Share of tracklets with only 2 to 7 frames; each person keeps its first tracklet in each camera whole."""
    distractors: NonNegativeInt = 16
    """Tracklets of pid 0 in the gallery: persons that are nobody's match."""
    junk: NonNegativeInt = 8
    """Tracklets of pid -1 in the gallery, which evaluation ignores: boxes that hold no whole person."""
    near_twins: Share = 0.15
    """Share of persons that differ from the person before them in one attribute alone."""
    height: Annotated[int, Field(ge=32, le=512)] = 128
    """Pixels of an image."""
    width: Annotated[int, Field(ge=16, le=256)] = 64
    """Pixels of an image."""
    frame_rate: Annotated[float, Field(ge=5, le=60)] = 25.0
    """Frames per second of the cameras: how far a step takes a walker between two frames."""
    jpeg_quality: Annotated[int, Field(ge=30, le=95)] = 90
    """Quality of the best camera; the others lose up to 25 points."""
    colour_response: Strength = 1.0
    """How far the cameras' white balance, saturation, exposure and contrast lie apart."""
    noise: Strength = 1.0
    """Sensor noise."""
    blur: Strength = 1.0
    """Optical blur, different in each camera."""
    view_jitter: Strength = 1.0
    """How far walking directions scatter around a camera's own: 1 is 22 degrees, one standard deviation."""
    jitter: Strength = 1.0
    """How far the tracker's boxes shake, drift and scale."""
    cut_bodies: Share = 0.06
    """Share of tracklets whose boxes miss the legs, the head or one side."""
    occlusion: Share = 0.25
    """Share of tracklets in which an object or another person passes in front."""
    lighting: Strength = 1.0
    """How far the light changes along a tracklet."""
    clutter: Strength = 1.0
    """Passers-by in the background: their mean number in an image."""
    truth: bool = False
    """Write joints, masks, motion and occlusion of every image beside the set."""
    truth_clip_frames: PositiveInt = 8
    """Motion is given against the first of every so many frames."""

    @model_validator(mode="after")
    def _check(self) -> "SyntheticSpec":
        for name in ("cameras_per_person", "tracklets_per_camera", "frames"):
            least, most = getattr(self, name)
            if least > most:
                raise ValueError(f"{name} as [least, most] with least <= most, not [{least}, {most}]")
        if not 8 <= self.train_persons + self.test_persons <= 4000:
            raise ValueError("train_persons + test_persons from 8 to 4000")
        if self.cameras_per_person[0] < 2:
            raise ValueError("cameras_per_person of at least 2: a person seen by one camera has no match in another")
        if self.frames[0] < 2 or self.frames[1] > 999:
            raise ValueError("frames within [2, 999]")
        return self
