"""MACs as torch executes them: every operator of one pass, counted by its shapes."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from reproid.clips.clip import Clip
from reproid.models.base import ClipModel
from reproid.models.macs import Macs

_ACTIVATIONS = ("aten.bmm", "aten.baddbmm", "aten._scaled_dot_product", "aten._flash_attention", "aten._efficient_attention")
"""Operators that multiply two activations; all others multiply one with weights."""


def count_macs(model: ClipModel, clip: Clip) -> Macs:
    """Return the MACs of one pass in eval mode, on whatever device model and clip are on; "meta" counts without computing.

    torch's counter does not know the fused attention of the CPU (a ViT-B reads 88.3 instead of 90.7 G per 8 frames): its formula
    is added here.
    """
    fused = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flops}
    with torch.no_grad(), FlopCounterMode(display=False, custom_mapping=fused) as counter:
        model.eval()(clip)
    # by module and, for the whole pass, under "Global", which a pass without any product lacks
    flops = {str(operator): count for operator, count in counter.get_flop_counts().get("Global", {}).items()}
    attention = sum(count for operator, count in flops.items() if operator.startswith(_ACTIVATIONS))
    return Macs(weights=(sum(flops.values()) - attention) // 2, attention=attention // 2)


def _attention_flops(
    query: Sequence[int], key: Sequence[int], value: Sequence[int], *_: Any, out_shape: Any = None, **__: Any
) -> int:
    """Return the FLOPs of softmax(Q K^T) V; shapes [B, heads, N, d]."""
    batch, heads, queries, width = query
    return 2 * batch * heads * queries * key[2] * (width + value[3])
