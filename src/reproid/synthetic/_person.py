"""Who walks: body, clothes and gait of one person, drawn from a generator."""

from dataclasses import dataclass, replace

import numpy as np

Colour = tuple[float, float, float]

CLOTH: dict[str, Colour] = {
    "black": (0.09, 0.09, 0.10),
    "charcoal": (0.24, 0.25, 0.27),
    "grey": (0.50, 0.50, 0.51),
    "white": (0.88, 0.88, 0.86),
    "navy": (0.11, 0.15, 0.32),
    "blue": (0.20, 0.36, 0.65),
    "sky": (0.53, 0.68, 0.84),
    "red": (0.66, 0.13, 0.14),
    "wine": (0.37, 0.10, 0.17),
    "green": (0.17, 0.40, 0.23),
    "olive": (0.39, 0.38, 0.22),
    "beige": (0.76, 0.67, 0.53),
    "brown": (0.36, 0.24, 0.16),
    "yellow": (0.86, 0.71, 0.22),
    "pink": (0.85, 0.52, 0.60),
    "orange": (0.83, 0.42, 0.16),
}
SKIN: tuple[Colour, ...] = ((0.91, 0.74, 0.64), (0.84, 0.65, 0.53), (0.73, 0.53, 0.40), (0.55, 0.37, 0.27), (0.36, 0.24, 0.18))
HAIR: dict[str, Colour] = {
    "black": (0.07, 0.06, 0.06),
    "dark brown": (0.20, 0.13, 0.09),
    "brown": (0.36, 0.23, 0.14),
    "blond": (0.72, 0.57, 0.34),
    "red": (0.50, 0.22, 0.10),
    "grey": (0.60, 0.60, 0.60),
}
# Dark and muted clothes are common, as in the street: a colour alone seldom names a person.
_UPPER_WEIGHTS = (14, 8, 9, 9, 9, 6, 4, 6, 4, 5, 5, 5, 4, 4, 4, 4)
_LOWER_WEIGHTS = (18, 10, 8, 3, 14, 12, 3, 1, 2, 2, 6, 8, 6, 1, 1, 1)
UPPER_PATTERNS = ("plain", "stripes", "bars", "checks", "logo", "print", "yoke", "dots")
LOWER_PATTERNS = ("plain", "faded", "side stripe", "checks")


@dataclass(frozen=True, kw_only=True)
class Gait:
    """How a person walks."""

    frequency: float
    """Double steps per second."""
    stride: float
    """Largest angle of the thigh, radians."""
    knee: float
    """Largest bend of the swinging knee, radians."""
    arms: float
    """Largest angle of the upper arm, radians."""
    elbow: float
    """Bend of the elbow at rest, radians."""
    lean: float
    """Forward lean of the trunk, radians."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """One person: lengths in metres, colours as sRGB in [0, 1]."""

    height: float
    build: float
    """Girth against the mean: 0.82 slim to 1.3 heavy."""
    shoulders: float
    """Shoulder width against the mean."""
    skin: int
    hair: str
    hair_style: str
    upper: str
    upper_second: str
    upper_pattern: str
    upper_length: str
    sleeves: str
    lower: str
    lower_pattern: str
    lower_kind: str
    shoes: str
    bag: str
    bag_colour: str
    hat: str
    hat_colour: str
    cloth_seed: int
    """Folds, and where stripes and logos lie; shared by near-twins."""
    gait: Gait


def _pick(rng: np.random.Generator, names: tuple[str, ...] | list[str], weights: tuple[float, ...] | None = None) -> str:
    p = None if weights is None else np.asarray(weights, dtype=np.float64) / sum(weights)
    return names[int(rng.choice(len(names), p=p))]


def draw_person(rng: np.random.Generator) -> Person:
    """Return a new person."""
    cloths = list(CLOTH)
    gait = Gait(
        frequency=float(rng.uniform(0.75, 1.1)),
        stride=float(rng.uniform(0.33, 0.55)),
        knee=float(rng.uniform(0.6, 1.1)),
        arms=float(rng.uniform(0.15, 0.6)),
        elbow=float(rng.uniform(0.1, 0.6)),
        lean=float(rng.uniform(-0.02, 0.09)),
    )
    return Person(
        height=float(rng.uniform(1.52, 1.93)),
        build=float(rng.uniform(0.82, 1.3)),
        shoulders=float(rng.uniform(0.9, 1.1)),
        skin=int(rng.integers(len(SKIN))),
        hair=_pick(rng, list(HAIR), (25, 25, 20, 15, 5, 10)),
        hair_style=_pick(rng, ("short", "long", "bob", "bald", "bun"), (40, 25, 15, 8, 12)),
        upper=_pick(rng, cloths, _UPPER_WEIGHTS),
        upper_second=_pick(rng, cloths),
        upper_pattern=_pick(rng, UPPER_PATTERNS, (30, 14, 8, 10, 14, 10, 8, 6)),
        upper_length=_pick(rng, ("waist", "hip", "coat"), (35, 45, 20)),
        sleeves=_pick(rng, ("long", "short"), (60, 40)),
        lower=_pick(rng, cloths, _LOWER_WEIGHTS),
        lower_pattern=_pick(rng, LOWER_PATTERNS, (60, 20, 12, 8)),
        lower_kind=_pick(rng, ("trousers", "shorts", "skirt", "long skirt"), (68, 14, 12, 6)),
        shoes=_pick(rng, ("black", "white", "brown", "grey", "red", "navy"), (40, 25, 12, 10, 6, 7)),
        bag=_pick(rng, ("none", "backpack", "shoulder bag", "handbag"), (50, 22, 16, 12)),
        bag_colour=_pick(rng, cloths),
        hat=_pick(rng, ("none", "cap", "beanie"), (80, 12, 8)),
        hat_colour=_pick(rng, cloths),
        cloth_seed=int(rng.integers(2**31)),
        gait=gait,
    )


TWIN_CHOICES: dict[str, tuple[str, ...]] = {
    "upper": tuple(CLOTH),
    "upper_pattern": UPPER_PATTERNS,
    "lower": tuple(CLOTH),
    "lower_kind": ("trousers", "shorts", "skirt"),
    "hair_style": ("short", "long", "bald"),
    "shoes": ("black", "white", "red"),
    "bag": ("none", "backpack", "shoulder bag", "handbag"),
    "hat": ("none", "cap", "beanie"),
}


def draw_twin(person: Person, rng: np.random.Generator) -> tuple[Person, str]:
    """Return a near-twin of ``person`` and the name of the one attribute in which they differ. The gait is the twin's own."""
    attribute = _pick(rng, list(TWIN_CHOICES))
    others = [value for value in TWIN_CHOICES[attribute] if value != getattr(person, attribute)]
    gait = draw_person(rng).gait
    changed: dict[str, str] = {attribute: _pick(rng, others)}
    return replace(person, gait=gait, **changed), attribute  # type: ignore[arg-type]
