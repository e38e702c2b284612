"""Single machine instructions for compiled kernels, which Python has no word for."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

__all__ = ["float_of_bits", "prefetch"]


@intrinsic  # type: ignore[untyped-decorator]
def _prefetch(typing_context: Any, array: Any, index: Any) -> Any:  # noqa: ARG001
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        address = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
        builder.call(function, [address, number(0), number(3), number(1)])  # to read, keep in all caches, data
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def _float_of_bits(typing_context: Any, bits: Any) -> Any:  # noqa: ARG001
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


prefetch: Callable[[npt.NDArray[Any], int], None] = _prefetch
"""``prefetch(array, index)`` asks the processor to bring ``array[index]`` into its cache, without waiting for it.

*Idea.* A loop that jumps through memory waits some 100 ns for each jump; asked a few steps ahead, the processor has
many jumps under way at once. An index out of bounds is harmless. Callable in kernels only.
"""

float_of_bits: Callable[[np.int32], np.float32] = _float_of_bits
"""``float_of_bits(bits)`` is the 32-bit float that has the bits of a 32-bit integer. Callable in kernels only."""
