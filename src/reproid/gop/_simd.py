"""Sixteen pixels at a time inside numba: what its loop vectoriser does not find, written in LLVM's vector types.

No instruction of a particular processor is named; LLVM picks them (on x86: psadbw, pavgb). Every function takes flat, contiguous
arrays and offsets into them and reads or writes 16 elements from there; nothing is checked, as in all of numba.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
_intrinsic: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic


def _vector(bits: int) -> ir.VectorType:
    return ir.VectorType(ir.IntType(bits), LANES)


def _splat(bits: int, value: int) -> ir.Constant:
    return ir.Constant(_vector(bits), [value] * LANES)


class _Site:
    """One call of an intrinsic: the builder, the types and values of its arguments."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        self.context, self.builder, self.types, self.args = context, builder, signature.args, args

    def place(self, array: int, offset: Any) -> Any:
        kind = self.types[array]
        data = self.context.make_array(kind)(self.context, self.builder, self.args[array]).data
        return self.builder.bitcast(self.builder.gep(data, [offset]), _vector(kind.dtype.bitwidth).as_pointer())

    def load(self, array: int, offset: Any, bits: int) -> Any:
        """Return 16 elements, widened to ``bits``."""
        kind = self.types[array].dtype
        values = self.builder.load(self.place(array, offset))
        values.align = kind.bitwidth // 8
        if bits == kind.bitwidth:
            return values
        return (self.builder.sext if kind.signed else self.builder.zext)(values, _vector(bits))

    def store(self, values: Any, array: int, offset: Any) -> None:
        self.builder.store(values, self.place(array, offset)).align = self.types[array].dtype.bitwidth // 8

    def absolute_sum(self, one: Any, other: Any) -> Any:
        """Return the sum of |one - other| of vectors of 32 bits."""
        difference = self.builder.sub(one, other)
        negative = self.builder.icmp_signed("<", difference, _splat(32, 0))
        absolute = self.builder.select(negative, self.builder.sub(_splat(32, 0), difference), difference)
        kind = ir.FunctionType(ir.IntType(32), [_vector(32)])
        add = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.vector.reduce.add.v16i32")
        return self.builder.call(add, [absolute])

    def mean(self, one: Any, other: Any) -> Any:
        """Return (one + other + 1) >> 1 of bytes widened to 16 bits, as bytes."""
        total = self.builder.add(self.builder.add(one, other), _splat(16, 1))
        return self.builder.trunc(self.builder.lshr(total, _splat(16, 1)), _vector(8))

    def taps(self, array: int, offset: Any, step: Any, bits: int) -> Any:
        """Return H.264's filter (1, -5, 20, 20, -5, 1) over elements ``step`` apart, the third at ``offset``."""
        b = self.builder
        start = b.sub(offset, b.add(step, step))
        values = []
        for _ in range(6):
            values.append(self.load(array, start, bits))
            start = b.add(start, step)
        outer, middle, inner = (b.add(values[k], values[5 - k]) for k in range(3))
        return b.add(b.sub(outer, b.mul(middle, _splat(bits, 5))), b.mul(inner, _splat(bits, 20)))

    def clipped(self, values: Any, bits: int, shift: int) -> Any:
        """Return the values divided by 2^shift, rounded, as bytes."""
        b = self.builder
        values = b.ashr(b.add(values, _splat(bits, 1 << (shift - 1))), _splat(bits, shift))
        values = b.select(b.icmp_signed("<", values, _splat(bits, 0)), _splat(bits, 0), values)
        values = b.select(b.icmp_signed(">", values, _splat(bits, 255)), _splat(bits, 255), values)
        return b.trunc(values, _vector(8))


def _code(generate: Callable[[_Site], Any]) -> Callable[..., Any]:
    return lambda context, builder, signature, args: generate(_Site(context, builder, signature, args))


@_intrinsic
def row_sad(_: Any, a: Any, i: Any, b: Any, j: Any) -> Any:
    """Return the sum of absolute differences of 16 bytes: a from i, b from j."""

    def generate(site: _Site) -> Any:
        return site.absolute_sum(site.load(0, site.args[1], 32), site.load(2, site.args[3], 32))

    return types.int32(a, types.intp, b, types.intp), _code(generate)


@_intrinsic
def row_sad_of_mean(_: Any, a: Any, i: Any, b: Any, j: Any, c: Any, k: Any) -> Any:
    """Return the sum of absolute differences of 16 bytes: a from i, against the means, rounded up, of b from j and c from k."""

    def generate(site: _Site) -> Any:
        mean = site.mean(site.load(2, site.args[3], 16), site.load(4, site.args[5], 16))
        return site.absolute_sum(site.load(0, site.args[1], 32), site.builder.zext(mean, _vector(32)))

    return types.int32(a, types.intp, b, types.intp, c, types.intp), _code(generate)


@_intrinsic
def row_mean(_: Any, out: Any, i: Any, b: Any, j: Any, c: Any, k: Any) -> Any:
    """Write the means, rounded up, of 16 bytes, b from j and c from k, to out from i."""

    def generate(site: _Site) -> Any:
        mean = site.mean(site.load(2, site.args[3], 16), site.load(4, site.args[5], 16))
        site.store(mean, 0, site.args[1])
        return site.context.get_dummy_value()

    return types.void(out, types.intp, b, types.intp, c, types.intp), _code(generate)


@_intrinsic
def row_taps(_: Any, out: Any, i: Any, a: Any, j: Any, step: Any) -> Any:
    """Write the sums (int16) of H.264's filter over 16 places of a from j, elements ``step`` apart, to out from i."""

    def generate(site: _Site) -> Any:
        site.store(site.taps(2, site.args[3], site.args[4], 16), 0, site.args[1])
        return site.context.get_dummy_value()

    return types.void(out, types.intp, a, types.intp, types.intp), _code(generate)


@_intrinsic
def row_half(_: Any, out: Any, i: Any, a: Any, j: Any, step: Any) -> Any:
    """Write the half-pixel samples of 16 places of a (bytes, or sums, int16) from j, elements ``step`` apart, to out from i."""
    bits, shift = (32, 10) if a.dtype.bitwidth == 16 else (16, 5)

    def generate(site: _Site) -> Any:
        taps = site.taps(2, site.args[3], site.args[4], bits)
        site.store(site.clipped(taps, bits, shift), 0, site.args[1])
        return site.context.get_dummy_value()

    return types.void(out, types.intp, a, types.intp, types.intp), _code(generate)


@_intrinsic
def row_luma(_: Any, out: Any, i: Any, rgb: Any, j: Any, step: Any) -> Any:
    """Write (77 R + 150 G + 29 B + 128) >> 8 of 16 pixels of rgb from j, channels ``step`` apart, to out from i."""

    def generate(site: _Site) -> Any:
        b, total, place = site.builder, _splat(16, 128), site.args[3]
        for weight in (77, 150, 29):  # the sum stays below 2^16
            total = b.add(total, b.mul(site.load(2, place, 16), _splat(16, weight)))
            place = b.add(place, site.args[4])
        site.store(b.trunc(b.lshr(total, _splat(16, 8)), _vector(8)), 0, site.args[1])
        return site.context.get_dummy_value()

    return types.void(out, types.intp, rgb, types.intp, types.intp), _code(generate)
