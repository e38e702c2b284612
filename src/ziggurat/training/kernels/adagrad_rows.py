"""Products and AdaGrad steps of two rows, in registers: what GloVe spends its time on.

*Idea.* A row holds a vector and behind it, equally long, the AdaGrad sum of each component. A pair of rows is read
twice, for its product and for its step, and written once; both go sixteen numbers at a time. They are written in the
compiler's own language because what its vectoriser makes of a loop with square roots depends on its mood.

*Shapes and units.* Matrices are contiguous, float32, (rows, 2 P) with P a multiple of `ziggurat.core.lanes.WIDTH`.
Callable in kernels only; nothing is checked.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from ziggurat.core.lanes import WIDTH
from ziggurat.core.types import FloatArray

__all__ = ["adagrad_step", "prefetch_row", "row_product"]

_FLOAT, _INDEX, _SHORT = ir.FloatType(), ir.IntType(64), ir.IntType(32)
_BYTE = ir.IntType(8).as_pointer()
_LANES = ir.VectorType(_FLOAT, WIDTH)
_ZERO, _STEP = ir.Constant(_INDEX, 0), ir.Constant(_INDEX, WIDTH)
_HAS_ESTIMATE = bool(binding.get_host_cpu_features().get("avx512f", False))


class _Row:
    """A row of a matrix: where it begins, and how long its vector is."""

    def __init__(self, context: Any, builder: Any, kind: Any, matrix: Any, number: Any) -> None:
        array = context.make_array(kind)(context, builder, matrix)
        length = builder.extract_value(array.shape, 1)
        self.builder, self.begin = builder, builder.gep(array.data, [builder.mul(number, length)])
        self.length, self.half = length, builder.lshr(length, ir.Constant(_INDEX, 1))

    def address(self, place: Any, kind: Any) -> Any:
        """Return the address of the numbers from ``place`` on, as a pointer of the kind."""
        return self.builder.bitcast(self.builder.gep(self.begin, [place]), kind)

    def lanes(self, place: Any) -> Any:
        return self.address(place, _LANES.as_pointer())


def _all(number: float) -> Any:
    return ir.Constant(_LANES, [number] * WIDTH)


def _splat(builder: Any, number: Any) -> Any:
    one = builder.insert_element(ir.Constant(_LANES, ir.Undefined), number, ir.Constant(_SHORT, 0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(_SHORT, WIDTH), [0] * WIDTH))


def _call(builder: Any, name: str, kind: Any, arguments: list[Any], **options: Any) -> Any:
    form = ir.FunctionType(kind, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, form, name), arguments, **options)


def _multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    return _call(builder, f"llvm.fmuladd.v{WIDTH}f32", _LANES, [a, b, c])


def _inverse_root(builder: Any, x: Any) -> Any:
    """Return 1 / √x: where the processor has a quick estimate of 14 bits, that and one step of Newton's method."""
    if not _HAS_ESTIMATE:
        return builder.fdiv(_all(1.0), _call(builder, f"llvm.sqrt.v{WIDTH}f32", _LANES, [x]))
    every = ir.Constant(ir.IntType(WIDTH), -1)
    near = _call(builder, "llvm.x86.avx512.rsqrt14.ps.512", _LANES, [x, _all(0.0), every])
    half = builder.fmul(builder.fmul(x, near), _all(-0.5))
    return builder.fmul(near, _multiply_add(builder, half, near, _all(1.5)))


@intrinsic  # type: ignore[untyped-decorator]
def _row_product(typing_context: Any, a: Any, i: Any, b: Any, j: Any) -> Any:  # noqa: ARG001
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        one = _Row(context, builder, signature.args[0], *arguments[0:2])
        other = _Row(context, builder, signature.args[2], *arguments[2:4])
        total = cgutils.alloca_once_value(builder, _all(0.0))
        with cgutils.for_range_slice(builder, _ZERO, one.half, _STEP) as (place, _):
            left, right = (builder.load(row.lanes(place), align=4) for row in (one, other))
            builder.store(_multiply_add(builder, left, right, builder.load(total)), total)
        start = ir.Constant(_FLOAT, -0.0)
        name = f"llvm.vector.reduce.fadd.v{WIDTH}f32"
        return _call(builder, name, _FLOAT, [start, builder.load(total)], fastmath=("reassoc",))

    return types.float32(a, types.intp, b, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def _adagrad_step(typing_context: Any, a: Any, i: Any, b: Any, j: Any, factor: Any) -> Any:  # noqa: ARG001
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = [_Row(context, builder, signature.args[n], *arguments[n : n + 2]) for n in (0, 2)]
        down = builder.fsub(_all(-0.0), _splat(builder, arguments[4]))
        with cgutils.for_range_slice(builder, _ZERO, rows[0].half, _STEP) as (place, _):
            values = [builder.load(row.lanes(place), align=4) for row in rows]
            for row, mine, other in zip(rows, values, values[::-1], strict=True):
                sums = row.lanes(builder.add(place, row.half))
                step = builder.fmul(down, other)
                total = _multiply_add(builder, step, step, builder.load(sums, align=4))
                builder.store(total, sums, align=4)
                moved = _multiply_add(builder, step, _inverse_root(builder, total), mine)
                builder.store(moved, row.lanes(place), align=4)
        return context.get_dummy_value()

    return types.void(a, types.intp, b, types.intp, types.float32), generate


@intrinsic  # type: ignore[untyped-decorator]
def _prefetch_row(typing_context: Any, matrix: Any, number: Any) -> Any:  # noqa: ARG001
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        row = _Row(context, builder, signature.args[0], *arguments)
        form = ir.FunctionType(ir.VoidType(), [_BYTE, _SHORT, _SHORT, _SHORT])
        function = cgutils.get_or_insert_function(builder.module, form, "llvm.prefetch.p0")
        with cgutils.for_range_slice(builder, _ZERO, row.length, _STEP) as (place, _):
            builder.call(function, [row.address(place, _BYTE), _SHORT(0), _SHORT(3), _SHORT(1)])
        return context.get_dummy_value()

    return types.void(matrix, types.intp), generate


row_product: Callable[[FloatArray, int, FloatArray, int], float] = _row_product
"""``row_product(a, i, b, j)`` is the product of the vectors of row i of ``a`` and row j of ``b``."""

adagrad_step: Callable[[FloatArray, int, FloatArray, int, float], None] = _adagrad_step
"""``adagrad_step(a, i, b, j, factor)`` moves two vectors u and v along the gradient of their product, u against v.

*Maths.* With s = factor · v, the sum G of each component of u grows by s², and then u −= s / √G (Duchi, Hazan & Singer
2011); v does the same with the u from before. Since G holds s², no component ever moves by more than 1.
"""

prefetch_row: Callable[[FloatArray, int], None] = _prefetch_row
"""``prefetch_row(matrix, number)`` asks for a row to be brought into the processor's cache, without waiting for it."""
