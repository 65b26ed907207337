"""Sequences of different lengths without padding: all tokens are rows of one table, which linear layers and norms pass as it is.

Only attention knows sequences. It takes those of nearly equal length together, and pads to the longest of such a group; on the
way back every row finds its own place. Shapes: M rows, D numbers each; G sequences of at most L rows in a group.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

SLACK = 1.25
"""A group's longest sequence over its shortest, beside a few rows."""
_FEW = 4


@dataclass(frozen=True, kw_only=True)
class Group:
    """Sequences that pass attention together."""

    rows: Tensor
    """int64 [G, L], rows of the table; what is padded repeats some row."""
    padding: Tensor | None
    """bool [G, 1, 1, L], False where padded; None where nothing is."""


@dataclass(frozen=True, kw_only=True)
class Packing:
    """Which rows of a table are which sequence."""

    groups: tuple[Group, ...]
    inverse: Tensor
    """int64 [M], where in the groups' outputs, one behind another, each row of the table stands."""


def pack(sequence: Tensor, lengths: Sequence[int]) -> Packing:
    """Group the sequences of a table.

    Args:
        sequence: int64 [M], which sequence a row belongs to.
        lengths: rows of each sequence; 0 for one that has none.
    """
    device = sequence.device
    order = sequence.argsort(stable=True)
    starts, total = [], 0
    for length in lengths:
        starts.append(total)
        total += length
    groups, offset = [], 0
    # the place of a sequence's first row among the outputs, less its rank in the sorted table
    shift = torch.zeros(len(lengths), dtype=torch.int64, device=device)
    for members in _alike(lengths):
        L = max(lengths[member] for member in members)
        start = torch.tensor([starts[member] for member in members], device=device)
        count = torch.tensor([lengths[member] for member in members], device=device)
        at = torch.arange(L, device=device)
        rows = order[(start[:, None] + at).clamp(max=total - 1)]
        equal = all(lengths[member] == L for member in members)
        groups.append(Group(rows=rows, padding=None if equal else (at < count[:, None])[:, None, None, :]))
        shift[torch.tensor(members, device=device)] = offset + L * torch.arange(len(members), device=device) - start
        offset += len(members) * L
    rank = torch.arange(total, device=device)
    inverse = torch.empty_like(sequence).scatter(0, order, rank + shift[sequence[order]])
    return Packing(groups=tuple(groups), inverse=inverse)


def _alike(lengths: Sequence[int]) -> list[list[int]]:
    """Return the sequences that are not empty, in groups of nearly equal length."""
    groups: list[list[int]] = []
    for member in sorted((at for at, length in enumerate(lengths) if length), key=lambda at: (lengths[at], at)):
        if groups and lengths[member] <= SLACK * lengths[groups[-1][0]] + _FEW:
            groups[-1].append(member)
        else:
            groups.append([member])
    return groups


def attend(qkv: Tensor, packing: Packing, heads: int) -> Tensor:
    """Return softmax(Q K^T / sqrt(d)) V within each sequence, [M, D].

    Args:
        qkv: [M, 3 D], queries, keys and values side by side.
        packing: of the table.
        heads: that share D.
    """
    M, D = qkv.shape[0], qkv.shape[1] // 3
    outputs = []
    for group in packing.groups:
        G, L = group.rows.shape
        q, k, v = qkv[group.rows.flatten()].view(G, L, 3, heads, D // heads).permute(2, 0, 3, 1, 4)
        found = scaled_dot_product_attention(q, k, v, attn_mask=group.padding)
        outputs.append(found.transpose(1, 2).reshape(G * L, D))
    return torch.cat(outputs)[packing.inverse] if outputs else qkv.new_zeros(M, D)


def attend_equal(qkv: Tensor, length: int, heads: int) -> Tensor:
    """As `attend`, of sequences of one length that stand one behind another."""
    M, D = qkv.shape[0], qkv.shape[1] // 3
    q, k, v = qkv.view(M // length, length, 3, heads, D // heads).permute(2, 0, 3, 1, 4)
    return scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(M, D)


def run_block(block: nn.Module, table: Tensor, mix: "Mixer") -> Tensor:
    """Pass a table through one block of timm's transformer: attention within sequences, then the MLP.

    Args:
        block: with norm1, attn.qkv, attn.proj, norm2 and mlp.
        table: [M, D].
        mix: what attention the rows pass.
    """
    part = block.get_submodule
    table = table + part("attn.proj")(mix(part("attn.qkv")(part("norm1")(table))))
    return table + part("mlp")(part("norm2")(table))  # type: ignore[no-any-return]


@dataclass(frozen=True, kw_only=True)
class Mixer:
    """The attention of a table: first sequences of one length, then packed ones."""

    equal: int
    """Rows of the sequences of one length."""
    length: int
    """Length of those."""
    packing: Packing
    """Of the rows behind them."""
    heads: int

    def __call__(self, qkv: Tensor) -> Tensor:
        """Return what attention gives, row by row."""
        if self.equal == 0:
            return attend(qkv, self.packing, self.heads)
        first = attend_equal(qkv[: self.equal], self.length, self.heads)
        return torch.cat([first, attend(qkv[self.equal :], self.packing, self.heads)])
