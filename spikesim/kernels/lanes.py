"""Packs: the same number of several matrices side by side, one a lane, as one vector of the processor.

A small matrix has too little work in a row for wide vectors, and BLAS calls of its size cost more than its arithmetic. So
LANES matrices go through the same steps together: entry (i, j) of all of them lies at [place * lanes, ... + lanes) of a flat
array, and every operation below acts lane by lane. Lanes never mix, so that a matrix gets the same bits whichever lane it
is in and whatever the others hold. Where the processor has no such vectors LLVM splits a pack into shorter ones.

The same functions run a matrix a thread on a GPU (threads.py). Their loops over packs count by `while`: with numba's range a
GPU takes about twice the instructions, most of them for addresses.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.extending import intrinsic, overload, register_model

from spikesim.kernels.width import widen

LANES = {"float32": 16, "float64": 8}
"""Matrices that go together: 512 bits."""


class Pack(types.Type):
    """Numba's type of `lanes` numbers of one floating type."""

    def __init__(self, number: types.Float) -> None:
        self.number, self.lanes = number, LANES[number.name]
        super().__init__(name=f"Pack({number})")


@register_model(Pack)
class _PackModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Pack) -> None:
        number = manager.lookup(kind.number).get_data_type()
        super().__init__(manager, kind, ir.VectorType(number, kind.lanes))


def _pointer(context, builder, kind, array, index, vector):
    """Address of array[index], as one of a vector."""
    data = cgutils.create_struct_proxy(kind)(context, builder, value=array).data
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


@intrinsic
def load(typing, array, index):
    """The pack at array[index : index + lanes] of a flat contiguous array."""
    pack = Pack(array.dtype)

    def code(context, builder, signature, args):
        widen(builder)  # or packs might be split where the processor need not
        vector = ir.VectorType(context.get_value_type(array.dtype), pack.lanes)
        pointer = _pointer(context, builder, signature.args[0], *args, vector)
        return builder.load(pointer, align=array.dtype.bitwidth // 8)

    return pack(array, types.intp), code


@intrinsic
def store(typing, array, index, pack):
    """Write a pack to array[index : index + lanes]."""

    def code(context, builder, signature, args):
        pointer = _pointer(context, builder, signature.args[0], args[0], args[1], args[2].type)
        builder.store(args[2], pointer, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, pack), code


@intrinsic
def splat(typing, number, like):
    """A number in every lane of a pack like another."""

    def code(context, builder, signature, args):
        nothing = ir.Constant(args[1].type, ir.Undefined)
        first = builder.insert_element(nothing, args[0], ir.Constant(ir.IntType(32), 0))
        places = ir.Constant(ir.VectorType(ir.IntType(32), like.lanes), [0] * like.lanes)
        return builder.shuffle_vector(first, nothing, places)

    return like(like.number, like), code


def _instruction(name):
    """A two-operand instruction, lane by lane."""

    @intrinsic
    def operation(typing, x, y):
        def code(context, builder, signature, args):
            return getattr(builder, name)(*args)

        return x(x, x), code

    return operation


def _call(builder, name, args):
    """LLVM's intrinsic function of a name, lane by lane."""
    kind = args[0].type
    number = "f32" if isinstance(kind.element, ir.FloatType) else "f64"
    function = ir.FunctionType(kind, [kind] * len(args))
    return builder.call(cgutils.get_or_insert_function(builder.module, function, f"llvm.{name}.v{kind.count}{number}"), args)


@intrinsic
def fma(typing, x, y, z):
    """x y + z, rounded once."""
    return x(x, x, x), lambda context, builder, signature, args: _call(builder, "fma", args)


@intrinsic
def fnma(typing, x, y, z):
    """z - x y, rounded once."""

    def code(context, builder, signature, args):
        return _call(builder, "fma", [builder.fneg(args[0]), *args[1:]])

    return x(x, x, x), code


@intrinsic
def sqrt(typing, x):
    """Square roots."""
    return x(x), lambda context, builder, signature, args: _call(builder, "sqrt", args)


@intrinsic
def copysign(typing, x, y):
    """|x| with the sign of y."""
    return x(x, x), lambda context, builder, signature, args: _call(builder, "copysign", args)


@intrinsic
def maximum(typing, x, y):
    """The larger of x and y; y where x is NaN."""

    def code(context, builder, signature, args):
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return x(x, x), code


@intrinsic
def choose(typing, x, y, yes, no):
    """`yes` where x < y, else `no`."""

    def code(context, builder, signature, args):
        return builder.select(builder.fcmp_ordered("<", args[0], args[1]), args[2], args[3])

    return yes(x, x, yes, yes), code


def _overload(symbol, operation):
    @overload(symbol)
    def implementation(x, y):
        if isinstance(x, Pack) and x == y:
            return lambda x, y: operation(x, y)
        return None


for _symbol, _name in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"), (operator.truediv, "fdiv")):
    _overload(_symbol, _instruction(_name))
