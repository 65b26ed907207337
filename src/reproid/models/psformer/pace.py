"""Fixed counts in place of decisions: what a clip costs at stated shares, whatever weights and frames say.

The cost of PSFormer depends on how many patches are kept and how often the gate opens. To state it, both are made fixed
numbers: in each frame the patches with the highest scores are kept; in evenly spread blocks the gates of all P-frames of a
clip are open together, for their distances share the evolution of one I-frame. No result of a training or a test is made so.
"""

from dataclasses import dataclass

from reproid.models.psformer.options import Options


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The counts for every clip of a batch."""

    kept: tuple[int, ...]
    """Patches of each frame, the I-frame's first."""
    opened: tuple[tuple[int, ...], ...]
    """The P-frames, from 0, whose gate is open, block by block."""

    @property
    def openings(self) -> int:
        """Open gates of a clip in all blocks."""
        return sum(map(len, self.opened))


def even(total: int, places: int) -> tuple[int, ...]:
    """Return whole numbers that sum to ``total``, as even as can be."""
    return tuple((at + 1) * total // places - at * total // places for at in range(places))


def stated_pace(options: Options, p_frames: int) -> Pace:
    """Return the counts nearest to the shares that the options state; see method.yaml."""
    first = options.patches if options.whole_i_frame else max(1, round(options.stated_kept_i * options.patches))
    kept = even(round(options.stated_kept * p_frames * options.patches), p_frames)
    return Pace(kept=(first, *kept), opened=_opened(options, p_frames))


def _opened(options: Options, p_frames: int) -> tuple[tuple[int, ...], ...]:
    everyone, nobody = tuple(range(p_frames)), ()
    if options.context == "patch-wise":
        return (everyone,) * options.depth
    if options.context != "routed":
        return (nobody,) * options.depth
    if options.gate == "periodic":
        return tuple(everyone if is_periodic(block, options.gate_period) else nobody for block in range(options.depth))
    share = options.gate_rate if options.gate == "random" else options.stated_gate
    total = round(share * p_frames * options.depth)
    blocks = -(-total // p_frames)
    # evenly spread; the last of them takes what is left
    places = [(number + 1) * options.depth // (blocks + 1) for number in range(blocks)]
    counts = dict(zip(places, (*(p_frames,) * (blocks - 1), total - p_frames * (blocks - 1)), strict=False))
    return tuple(tuple(range(counts.get(block, 0))) for block in range(options.depth))


def is_periodic(block: int, period: int) -> bool:
    """Tell whether block number ``block``, from 0, is every ``period``-th one."""
    return (block + 1) % period == 0
