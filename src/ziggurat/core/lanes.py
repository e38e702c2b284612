"""Products and updates of gathered matrix rows, in registers: what word vectors spend their time on.

*Idea.* A step of training takes a few rows of one matrix (the words of a window) and a few of another (a target and
its negative samples), needs all their products, and then adds multiples of each to the others. A loop over pairs would
load and store every row once a pair; here a block of products stays in registers while the rows stream by, sixteen
numbers at a time, and every row is loaded and stored once. What the compiler's vectoriser makes of such loops depends
on its mood; these are written in its language directly, so that every machine gets its widest instructions.

*Shapes and units.* Matrices are contiguous, float32, and as wide as a multiple of `WIDTH`. How many rows of the second
matrix are taken is the *length of a tuple*, because a compiled function is made for each type, and a tuple's length is
part of it. Callable in kernels only; nothing is checked.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from ziggurat.core.types import FloatArray, IdArray

__all__ = [
    "BLOCK",
    "WIDTH",
    "Source",
    "add_rows",
    "aligned_rows",
    "dot_rows",
    "mean_row",
    "padded",
    "spread_row",
]

WIDTH = 16
"""Numbers in a register as wide as there is (512 bits); narrower machines take several."""

BLOCK = 12
"""Most rows of the second matrix in one call: so many fit into registers, with their sums."""

_FLOAT = ir.FloatType()
_LANES = ir.VectorType(_FLOAT, WIDTH)
_INDEX = ir.IntType(64)


def padded(width: int) -> int:
    """Return the next multiple of `WIDTH`.

    >>> padded(100), padded(112)
    (112, 112)
    """
    return -(-width // WIDTH) * WIDTH


def aligned_rows(rows: int, width: int) -> FloatArray:
    """Return a (rows, padded width) matrix of zeros whose rows begin at a cache line."""
    size = rows * padded(width)
    memory = np.zeros(size + WIDTH, np.float32)
    skip = -memory.ctypes.data % (4 * WIDTH) // 4
    return memory[skip : skip + size].reshape(rows, padded(width))


class _Rows:
    """Words for the instructions on rows of one matrix."""

    def __init__(self, context: Any, builder: Any, kinds: Sequence[Any], values: Sequence[Any]) -> None:
        self.builder = builder
        matrix = context.make_array(kinds[0])(context, builder, values[0])
        self.data, self.width = matrix.data, builder.extract_value(matrix.shape, 1)
        self.rows = context.make_array(kinds[1])(context, builder, values[1]).data

    def row(self, number: Any) -> Any:
        """Return the address of the row that stands at ``number`` of the list."""
        taken = self.builder.load(self.builder.gep(self.rows, [number]))
        return self.builder.gep(self.data, [self.builder.mul(self.builder.sext(taken, _INDEX), self.width)])

    def lanes(self, row: Any, place: Any) -> Any:
        """Return the address of a row's sixteen numbers from ``place`` on."""
        return self.builder.bitcast(self.builder.gep(row, [place]), _LANES.as_pointer())


def _load(builder: Any, address: Any) -> Any:
    return builder.load(address, align=4)


def _multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    kind = ir.FunctionType(_LANES, [_LANES] * 3)
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.fmuladd.v16f32"), [a, b, c])


def _splat(builder: Any, number: Any) -> Any:
    one = builder.insert_element(ir.Constant(_LANES, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    return _shuffle(builder, one, one, [0] * WIDTH)


def _shuffle(builder: Any, a: Any, b: Any, order: Sequence[int]) -> Any:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), list(order)))


def _folds() -> list[tuple[list[int], list[int]]]:
    """Return, for each of four stages, which lanes of two vectors are added to which: halves of groups, then groups."""
    pairs = [[4 * g + lane + 16 * v for g in range(4) for lane in half for v in (0, 1)] for half in ((0, 1), (2, 3))]
    twos = [[4 * g + lane + 16 * v for g in range(4) for v in (0, 1) for lane in half] for half in ((0, 1), (2, 3))]
    groups = [[4 * g + lane + 16 * v for v in (0, 1) for g in odd for lane in range(4)] for odd in ((0, 2), (1, 3))]
    return [(pairs[0], pairs[1]), (twos[0], twos[1]), (groups[0], groups[1]), (groups[0], groups[1])]


def _sums(builder: Any, vectors: Sequence[Any]) -> Any:
    """Return one vector whose lane i is the sum of all lanes of ``vectors[i]``; 0 beyond them."""
    zero = ir.Constant(_LANES, [0.0] * WIDTH)
    level: list[Any] = [*vectors, *[zero] * (WIDTH - len(vectors))]
    for low, high in _folds():
        level = [
            zero
            if level[i] is zero
            else builder.fadd(
                _shuffle(builder, level[i], level[i + 1], low), _shuffle(builder, level[i], level[i + 1], high)
            )
            for i in range(0, len(level), 2)
        ]
    return level[0]


def _source(context: Any, builder: Any, kind: Any, value: Any) -> tuple[_Rows, Any]:
    """Return the rows of a `Source`, and their number."""
    matrix, rows, count = (builder.extract_value(value, part) for part in range(3))
    return _Rows(context, builder, kind.types[:2], (matrix, rows)), count


class _Call:
    """The parts of a call of `dot_rows` or `add_rows`."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        kinds = signature.args
        self.left, self.count = _source(context, builder, kinds[0], arguments[0])
        self.right = _Rows(context, builder, kinds[1:3], arguments[1:3])
        self.columns = len(kinds[3])
        self.numbers = context.make_array(kinds[4])(context, builder, arguments[4]).data


def _products(builder: Any, call: _Call, first: Any, height: int) -> None:
    """Write the products of ``height`` rows of the first matrix, from number ``first`` on, with all of the second."""
    left, right, columns = call.left, call.right, call.columns
    sums = [cgutils.alloca_once(builder, _LANES) for _ in range(height * columns)]
    lefts = [left.row(builder.add(first, ir.Constant(_INDEX, p))) for p in range(height)]
    rights = [right.row(ir.Constant(_INDEX, t)) for t in range(columns)]
    for place in sums:
        builder.store(ir.Constant(_LANES, [0.0] * WIDTH), place)
    span = ir.Constant(_INDEX, 0), left.width, ir.Constant(_INDEX, WIDTH)
    with cgutils.for_range_slice(builder, *span) as (d, _):
        held = [_load(builder, left.lanes(row, d)) for row in lefts]
        for t, row in enumerate(rights):
            other = _load(builder, right.lanes(row, d))
            for p, mine in enumerate(held):
                place = sums[p * columns + t]
                builder.store(_multiply_add(builder, mine, other, builder.load(place)), place)
    found = _sums(builder, [builder.load(place) for place in sums])
    target = builder.gep(call.numbers, [builder.mul(first, ir.Constant(_INDEX, columns))])
    builder.store(found, builder.bitcast(target, _LANES.as_pointer()), align=4)


@intrinsic  # type: ignore[untyped-decorator]
def _dot_rows(typing_context: Any, source: Any, b: Any, b_rows: Any, taken: Any, products: Any) -> Any:  # noqa: ARG001
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        call = _Call(context, builder, signature, arguments)
        zero, height = ir.Constant(_INDEX, 0), min(2, WIDTH // call.columns)
        whole = builder.and_(call.count, ir.Constant(_INDEX, -height))
        with cgutils.for_range_slice(builder, zero, whole, ir.Constant(_INDEX, height)) as (first, _):
            _products(builder, call, first, height)
        with builder.if_then(builder.icmp_signed("<", whole, call.count)):  # the last one of an odd number
            _products(builder, call, whole, 1)
        return context.get_dummy_value()

    return types.void(source, b, b_rows, taken, products), generate


@intrinsic  # type: ignore[untyped-decorator]
def _add_rows(typing_context: Any, source: Any, b: Any, b_rows: Any, taken: Any, factors: Any) -> Any:  # noqa: ARG001
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        call = _Call(context, builder, signature, arguments)
        left, right, total, columns = call.left, call.right, call.count, call.columns
        step, zero = ir.Constant(_INDEX, WIDTH), ir.Constant(_INDEX, 0)
        rights = [right.row(ir.Constant(_INDEX, t)) for t in range(columns)]
        added = [cgutils.alloca_once(builder, _LANES) for _ in range(columns)]
        with cgutils.for_range_slice(builder, zero, left.width, step) as (d, _):
            held = [_load(builder, right.lanes(row, d)) for row in rights]
            for place in added:
                builder.store(ir.Constant(_LANES, [0.0] * WIDTH), place)
            with cgutils.for_range(builder, total) as loop:
                address = left.lanes(left.row(loop.index), d)
                before = after = _load(builder, address)
                first = builder.mul(loop.index, ir.Constant(_INDEX, columns))
                for t, mine in enumerate(held):
                    at = builder.gep(call.numbers, [builder.add(first, ir.Constant(_INDEX, t))])
                    factor = _splat(builder, builder.load(at))
                    after = _multiply_add(builder, factor, mine, after)
                    builder.store(_multiply_add(builder, factor, before, builder.load(added[t])), added[t])
                builder.store(after, address, align=4)
            for row, place in zip(rights, added, strict=True):  # loaded again: a row may stand there twice
                address = right.lanes(row, d)
                builder.store(builder.fadd(_load(builder, address), builder.load(place)), address, align=4)
        return context.get_dummy_value()

    return types.void(source, b, b_rows, taken, factors), generate


Source: TypeAlias = tuple[FloatArray, IdArray, int]
"""A matrix, the rows of it that take part, and how many of those there are."""


@intrinsic  # type: ignore[untyped-decorator]
def _mean_row(typing_context: Any, source: Any, mean: Any) -> Any:  # noqa: ARG001
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, total = _source(context, builder, signature.args[0], arguments[0])
        out = context.make_array(signature.args[1])(context, builder, arguments[1]).data
        part = _splat(builder, builder.fdiv(ir.Constant(_FLOAT, 1.0), builder.sitofp(total, _FLOAT)))
        zero, step = ir.Constant(_INDEX, 0), ir.Constant(_INDEX, WIDTH)
        added = cgutils.alloca_once(builder, _LANES)
        with cgutils.for_range_slice(builder, zero, left.width, step) as (d, _):
            builder.store(ir.Constant(_LANES, [0.0] * WIDTH), added)
            with cgutils.for_range(builder, total) as loop:
                one = _load(builder, left.lanes(left.row(loop.index), d))
                builder.store(builder.fadd(builder.load(added), one), added)
            found = builder.fmul(builder.load(added), part)
            for row in (zero, left.width):
                builder.store(found, left.lanes(builder.gep(out, [row]), d), align=4)
        return context.get_dummy_value()

    return types.void(source, mean), generate


@intrinsic  # type: ignore[untyped-decorator]
def _spread_row(typing_context: Any, source: Any, moved: Any) -> Any:  # noqa: ARG001
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, total = _source(context, builder, signature.args[0], arguments[0])
        data = context.make_array(signature.args[1])(context, builder, arguments[1]).data
        zero, step = ir.Constant(_INDEX, 0), ir.Constant(_INDEX, WIDTH)
        with cgutils.for_range_slice(builder, zero, left.width, step) as (d, _):
            now, before = (_load(builder, left.lanes(builder.gep(data, [row]), d)) for row in (zero, left.width))
            change = builder.fsub(now, before)
            with cgutils.for_range(builder, total) as loop:
                address = left.lanes(left.row(loop.index), d)
                builder.store(builder.fadd(_load(builder, address), change), address, align=4)
        return context.get_dummy_value()

    return types.void(source, moved), generate


_Operation: TypeAlias = Callable[[Source, FloatArray, IdArray, tuple[int, ...], npt.NDArray[np.float32]], None]

dot_rows: _Operation = _dot_rows
"""``dot_rows((a, a_rows, count), b, b_rows, taken, products)`` writes the products of rows of two matrices.

The product of row ``a_rows[i]`` of ``a``, i < ``count``, and row ``b_rows[t]`` of ``b``, t < ``len(taken)`` ≤ `BLOCK`,
is written to ``products[i · len(taken) + t]``. ``products`` needs 16 numbers of room behind them.
"""

add_rows: _Operation = _add_rows
"""``add_rows((a, a_rows, count), b, b_rows, taken, factors)`` adds to each row multiples of the other side's rows.

*Maths.* With factors f in the form of `dot_rows`: a_i += Σ_t f_it · b_t and b_t += Σ_i f_it · a_i, both with the values
from before the call. A row that stands twice in a list gets both additions; the second time that it stands in
``a_rows`` it gives what the first time has left.
"""

_Gathering: TypeAlias = Callable[[Source, FloatArray], None]

mean_row: _Gathering = _mean_row
"""``mean_row((a, a_rows, count), mean)`` writes the mean of rows of ``a`` to both rows of ``mean`` (2, D)."""

spread_row: _Gathering = _spread_row
"""``spread_row((a, a_rows, count), moved)`` adds to rows of ``a`` by how much the first row of ``moved`` (2, D) is more
than the second: what became of a mean since `mean_row` wrote it. A row that stands twice gets it twice.
"""
