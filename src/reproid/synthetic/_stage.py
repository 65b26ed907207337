"""One tracklet, staged: every part of every frame in pixels, ready to be drawn. T frames, N parts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reproid.catalog.synthetic import SyntheticSpec
from reproid.seeds import derive_seed
from reproid.synthetic import _draw as draw
from reproid.synthetic._body import Placed, place, shadow
from reproid.synthetic._camera import NOISE_LENGTH, Camera, make_camera
from reproid.synthetic._person import Person, draw_person
from reproid.synthetic._props import Passing, draw_passing, place_prop, prop_textures
from reproid.synthetic._skeleton import Array, View, project, walk
from reproid.synthetic._texture import NAMES, person_textures
from reproid.synthetic.plan import JUNK, PlannedTracklet, World


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What the drawing loop needs, and what the truth is made of."""

    parts: Array
    """[T, N, COLUMNS]."""
    order: NDArray[np.int64]
    """[T, N], farthest first."""
    textures: NDArray[np.float32]
    """[K, S, S, 3]."""
    behind: int
    """Parts drawn before the person: passers-by in the background and the shadow."""
    body: int
    """The person's parts are ``behind : behind + body``; what follows stands in front."""
    scene_at: Array
    """[T, 3]: scene column and row of the image's corner, scene pixels per image pixel."""
    gain: Array
    """Light of each frame [T]."""
    noise_at: NDArray[np.int64]
    """[T]."""
    joints: Array
    """All joints [T, J, 3]: pixels, and metres towards the camera."""
    azimuth: Array
    """Walking direction against the camera, radians [T]."""


@dataclass(frozen=True, kw_only=True)
class _Track:
    """The tracker's boxes: how metres become pixels."""

    scale: Array
    """Pixels per metre [T]."""
    origin: Array
    """Pixel of the ground below the person [T, 2]."""
    travel: Array
    """Metres walked across the image since the first frame [T]."""


def make_stage(world: World, tracklet: PlannedTracklet) -> Stage:
    """Return the staged tracklet; equal worlds give equal stages."""
    spec, camera, person = world.spec, make_camera(world.spec, tracklet.camid), world.person(tracklet)
    seed = derive_seed(spec.seed, "data", "tracklet", tracklet.key)
    # One generator per matter: turning one nuisance off leaves the others as they were.
    rngs = {
        name: np.random.default_rng([seed, k]) for k, name in enumerate(("walk", "box", "cut", "light", "front", "back", "noise"))
    }
    time = np.arange(tracklet.frames) / spec.frame_rate
    view = _walk_view(spec, camera, time, rngs["walk"])
    phase = 2 * np.pi * person.gait.frequency * time + rngs["walk"].uniform(0, 2 * np.pi)
    seen = project(walk(person, phase), view)
    track = _track(spec, person, tracklet, (seen, view, time), rngs)
    body = place(person, seen, view, track.scale, track.origin)
    textures = [person_textures(person)]
    behind = _passers_by(spec, camera, (track, time), textures, rngs["back"])
    behind.append(_shade(seen, track, view))
    front = _occluders(spec, camera, (track, time), textures, rngs["front"])
    order = _order([*behind, body, *front], sort_from=len(behind))
    return Stage(
        parts=_rounded(np.concatenate([group.parts for group in (*behind, body, *front)], axis=1)),
        order=order,
        textures=np.concatenate(textures),
        behind=sum(group.parts.shape[1] for group in behind),
        body=body.parts.shape[1],
        scene_at=_rounded(_scene_at(spec, track, rngs["back"])),
        gain=_rounded(_light(spec, time, rngs["light"])),
        noise_at=rngs["noise"].integers(0, NOISE_LENGTH, tracklet.frames),
        joints=np.concatenate([_pixels(seen, track), seen[..., 2:]], axis=2),
        azimuth=view.azimuth,
    )


def _pixels(seen: Array, track: _Track) -> Array:
    return np.asarray(seen[..., :2] * np.array([1.0, -1.0]) * track.scale[:, None, None] + track.origin[:, None])


def _rounded(values: Array) -> Array:
    """Round away the last bits, in which the sines of two processors may differ."""
    return np.asarray(np.round(values, 6))


def _walk_view(spec: SyntheticSpec, camera: Camera, time: Array, rng: np.random.Generator) -> View:
    back = rng.random() < camera.two_way
    azimuth = camera.azimuth + np.pi * back + 0.385 * spec.view_jitter * rng.normal()
    turn = 0.12 * spec.view_jitter * rng.normal()
    return View(azimuth=azimuth + turn * time, elevation=np.full_like(time, camera.elevation))


def _drift(rng: np.random.Generator, frames: int, step: float, pull: float = 0.85) -> Array:
    """Return a wandering value [T] that is pulled back to 0."""
    out, value = np.zeros(frames), float(rng.normal()) * step
    for k in range(frames):
        out[k] = value
        value = pull * value + float(rng.normal()) * step
    return out


def _track(
    spec: SyntheticSpec,
    person: Person,
    tracklet: PlannedTracklet,
    walked: tuple[Array, View, Array],
    rngs: dict[str, np.random.Generator],
) -> _Track:
    seen, view, time = walked
    rng, frames, height, width = rngs["box"], len(time), spec.height, spec.width
    top, low = seen[..., 1].max(axis=1).mean(), seen[..., 1].min(axis=1).mean()
    jitter = spec.jitter
    scale = height * 0.90 / (top - low) * np.exp(jitter * (0.03 * rng.normal() + _drift(rng, frames, 0.012)))
    x = width * (0.5 + jitter * (0.03 * rng.normal() + _drift(rng, frames, 0.016)))
    y = height * (0.5 + jitter * (0.012 * rng.normal() + _drift(rng, frames, 0.008)))
    cut = rngs["cut"]
    junk = tracklet.pid == JUNK
    if junk or cut.random() < spec.cut_bodies:
        side = int(cut.integers(4))
        strength = float(cut.uniform(1.3, 1.8)) if junk else 1.0
        scale = scale * (1 + 0.25 * strength)
        x = x + (side == 0) * 0.30 * width * strength - (side == 1) * 0.30 * width * strength
        y = y + (side == 2) * 0.24 * height * strength - (side == 3) * 0.20 * height * strength
    pelvis = seen[..., 0].mean(axis=1)
    origin = np.stack([x - pelvis * scale, y + (top + low) / 2 * scale], axis=1)
    # Two steps per cycle, each as long as the opened legs (0.48 of the height): feet do not slide over the ground.
    speed = 4 * 0.48 * person.height * np.sin(person.gait.stride) * person.gait.frequency
    travel = speed * np.sin(view.azimuth) * time
    return _Track(scale=scale, origin=origin, travel=travel)


def _scene_at(spec: SyntheticSpec, track: _Track, rng: np.random.Generator) -> Array:
    """Return the corner of the image in the scene: the camera stands still, so the scene passes as the person walks."""
    nominal = spec.height * 0.52
    zoom = nominal / track.scale
    start = rng.uniform(0, 5.0 * spec.height)
    column = start + track.travel * nominal - track.origin[:, 0] * zoom
    row = 1.2 * spec.height - track.origin[:, 1] * zoom
    return np.stack([column, row, zoom], axis=1)


def _light(spec: SyntheticSpec, time: Array, rng: np.random.Generator) -> Array:
    k, frames = spec.lighting, len(time)
    ramp = 0.16 * k * rng.normal() * np.linspace(-0.5, 0.5, frames)
    gain = np.exp(0.10 * k * rng.normal() + ramp)
    if rng.random() < 0.2 * min(k, 1.0):  # walks through a shadow
        start, length = rng.integers(0, frames), int(rng.integers(3, 10))
        gain[start : start + length] *= 1 - 0.4 * min(k, 1.0)
    return np.asarray(gain)


def _shade(seen: Array, track: _Track, view: View) -> Placed:
    parts = shadow(seen, track.scale, track.origin, elevation=view.elevation, darkness=0.16)
    return Placed(parts=parts, depth=np.zeros(parts.shape[:2]))


def _order(groups: list[Placed], *, sort_from: int) -> NDArray[np.int64]:
    """Return the drawing order: groups one after the other, parts within a group by depth."""
    out, first = [], 0
    for k, group in enumerate(groups):
        n = group.parts.shape[1]
        ranks = (
            np.argsort(np.round(group.depth, 6), axis=1, kind="stable")
            if k != sort_from - 1
            else np.tile(np.arange(n), (len(group.depth), 1))
        )
        out.append(ranks + first)
        first += n
    return np.concatenate(out, axis=1).astype(np.int64)


def _walker(
    spec: SyntheticSpec, camera: Camera, timing: tuple[_Track, Array], passing: Passing, textures: list[NDArray[np.float32]]
) -> Placed:
    """Return another person who crosses the image; the textures are appended."""
    track, time = timing
    rng = np.random.default_rng(passing.seed)
    person = draw_person(rng)
    view = View(azimuth=np.full_like(time, passing.azimuth), elevation=np.full_like(time, camera.elevation))
    phase = 2 * np.pi * person.gait.frequency * time + rng.uniform(0, 2 * np.pi)
    scale = track.scale * passing.size
    at = passing.at + passing.speed * time - track.travel
    origin = np.stack([spec.width / 2 + at * track.scale, track.origin[:, 1] + passing.lower * spec.height], axis=1)
    placed = place(person, project(walk(person, phase), view), view, scale, origin)
    placed.parts[..., draw.TEXTURE] += sum(len(t) for t in textures)
    textures.append(person_textures(person))
    return placed


def _passers_by(
    spec: SyntheticSpec,
    camera: Camera,
    timing: tuple[_Track, Array],
    textures: list[NDArray[np.float32]],
    rng: np.random.Generator,
) -> list[Placed]:
    count = min(int(rng.poisson(0.7 * spec.clutter)), 2)
    return [_walker(spec, camera, timing, draw_passing(rng, front=False), textures) for _ in range(count)]


def _occluders(
    spec: SyntheticSpec,
    camera: Camera,
    timing: tuple[_Track, Array],
    textures: list[NDArray[np.float32]],
    rng: np.random.Generator,
) -> list[Placed]:
    if rng.random() >= spec.occlusion:
        return []
    track, time = timing
    if rng.random() < 0.35:
        return [_walker(spec, camera, timing, draw_passing(rng, front=True), textures)]
    first = sum(len(t) for t in textures)
    textures.append(prop_textures(rng, len(NAMES)))
    middle = float(rng.uniform(0.2, 0.8)) * time[-1]
    at = float(rng.normal(0, 0.15)) + np.interp(middle, time, track.travel) - track.travel
    ground = np.stack([spec.width / 2 + at * track.scale, track.origin[:, 1]], axis=1)
    return [place_prop(rng, ground, track.scale, texture=first)]
