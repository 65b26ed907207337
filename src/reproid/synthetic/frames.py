"""Drawing a planned tracklet: images, and per pixel the part that is on top."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reproid.synthetic import _draw as draw
from reproid.synthetic._camera import make_camera, make_noise, make_scene
from reproid.synthetic._stage import Stage, make_stage
from reproid.synthetic.plan import PlannedTracklet, World

Image = NDArray[np.uint8]


def draw_frames(world: World, tracklet: PlannedTracklet, stage: Stage | None = None) -> Iterator[tuple[Image, Image]]:
    """Yield (image [H, W, 3], label [H, W]) per frame; a label is a part's index in the stage + 1, 0 the background.

    Args:
        world: the set's plan.
        tracklet: one of its tracklets.
        stage: the staged tracklet, when the caller has it.
    """
    spec, camid = world.spec, tracklet.camid
    stage = stage or make_stage(world, tracklet)
    camera, noise, scene = make_camera(spec, camid), make_noise(spec, camid), make_scene(spec, camid)
    light = np.array(camera.light)
    canvas = np.empty((spec.height, spec.width, 3), np.float32)
    for k in range(tracklet.frames):
        label = np.zeros((spec.height, spec.width), np.uint8)
        draw.fill_background(canvas, scene, *stage.scene_at[k])
        draw.draw_parts(canvas, label, stage.parts[k], stage.order[k], stage.textures, light)
        image = draw.develop(canvas, camera.matrix, camera.curve, noise, int(stage.noise_at[k]), camera.blur, stage.gain[k])
        yield image, label
