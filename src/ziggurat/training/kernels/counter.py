"""A number that threads take from one another: which piece of work is the next, without a lock."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

__all__ = ["take_number"]


@intrinsic  # type: ignore[untyped-decorator]
def _take_number(typing_context: Any, counter: Any) -> Any:  # noqa: ARG001
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.atomic_rmw("add", place, ir.Constant(ir.IntType(64), 1), "seq_cst")

    return types.int64(counter), generate


take_number: Callable[[npt.NDArray[np.int64]], int] = _take_number
"""``take_number(counter)`` returns ``counter[0]`` and raises it by one, in one step that no other thread divides.

Callable in kernels only.
"""
