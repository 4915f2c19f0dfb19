"""Vectors of eight float64 inside compiled kernels, at places of one flat buffer s: s[i : i + 8] is lane vector i.

A loop over eight lanes of one buffer does not become a vector: LLVM unrolls it first, and then cannot tell whether its
entries overlap. These operations load whole vectors, compute, and store: fifteen times as fast. Products may be fused
into sums (contract), so the last bit depends on the machine's instructions, and on nothing else.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = 8
_DOUBLE = ir.DoubleType()
_VECTOR = ir.VectorType(_DOUBLE, LANES)
_FUSED = ("contract",)


def _place(context, builder, signature, arguments, i):
    """Pointer to the lane vector at offset i of the buffer, the first argument."""
    data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
    return builder.bitcast(builder.gep(data, [i]), _VECTOR.as_pointer())


def _spread(builder, value):
    """A vector of one value."""
    first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


def _operation(buffer, places, formula, scalars=()):
    """Signature (buffer, out, places..., scalars...) -> None and its code: formula of the vectors there, into out."""
    signature = types.void(buffer, *[types.int64] * (places + 1), *scalars)

    def code(context, builder, signature, arguments):
        at = [_place(context, builder, signature, arguments, i) for i in arguments[1 : places + 2]]
        vectors = [builder.load(pointer, align=8) for pointer in at[1:]]
        values = [_spread(builder, x) for x in arguments[places + 2 :]]
        builder.store(formula(builder, *vectors, *values), at[0], align=8)
        return context.get_dummy_value()

    return signature, code


def _add(builder, *terms):
    total = terms[0]
    for x in terms[1:]:
        total = builder.fadd(total, x, flags=_FUSED)
    return total


def _mul(builder, x, y):
    return builder.fmul(x, y, flags=_FUSED)


@intrinsic
def less(_context, s, _out, _x, _a, _b, _c, _d):
    """Lane vectors at offsets: out = x - a b - c d."""

    def formula(builder, x, a, b, c, d):
        return builder.fsub(builder.fsub(x, _mul(builder, a, b), flags=_FUSED), _mul(builder, c, d), flags=_FUSED)

    return _operation(s, 5, formula)


@intrinsic
def products(_context, s, _out, _a, _b, _c, _d):
    """Lane vectors at offsets: out = a b + c d."""
    return _operation(s, 4, lambda builder, a, b, c, d: _add(builder, _mul(builder, a, b), _mul(builder, c, d)))


@intrinsic
def times(_context, s, _out, _a, _b, _factor):
    """Lane vectors at offsets: out = factor a b."""
    return _operation(s, 2, lambda builder, a, b, f: _mul(builder, f, _mul(builder, a, b)), [types.float64])


@intrinsic
def inverse(_context, s, _out, _a):
    """Lane vectors at offsets: out = 1 / a."""
    return _operation(s, 1, lambda builder, a: builder.fdiv(_constant(1.0), a))


@intrinsic
def scaled(_context, s, _out, _a, _factor):
    """Lane vectors at offsets: out = factor a."""
    return _operation(s, 1, lambda builder, a, f: _mul(builder, a, f), [types.float64])


@intrinsic
def fill(_context, s, _out, _value):
    """Every lane of out = value."""
    return _operation(s, 0, lambda _builder, value: value, [types.float64])


@intrinsic
def largest(_context, s, _out, _a, _b, _c, _d):
    """Lane vectors at offsets: out = max(a, |b|, |c|, |d|)."""

    def formula(builder, a, *others):
        for x in others:
            x = builder.select(builder.fcmp_ordered("<", x, _zero()), builder.fsub(_zero(), x), x)
            a = builder.select(builder.fcmp_ordered("<", a, x), x, a)
        return a

    return _operation(s, 4, formula)


@intrinsic
def tally(_context, s, _out, _a, _det, _p):
    """Lane vectors at offsets: out = a + positive eigenvalues of symmetric 2 x 2 matrices of determinant det and corner p."""

    def formula(builder, a, det, p):
        same = builder.select(builder.fcmp_ordered(">", p, _zero()), _constant(2.0), _zero())
        return builder.fadd(a, builder.select(builder.fcmp_ordered("<", det, _zero()), _constant(1.0), same))

    return _operation(s, 3, formula)


def _constant(value):
    return ir.Constant(_VECTOR, [value] * LANES)


def _zero():
    return _constant(0.0)
