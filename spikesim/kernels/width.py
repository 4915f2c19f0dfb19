"""How wide compiled loops may be: 512 bits on processors that have them.

LLVM stops at 256 bits on several AVX-512 processors (Intel's: a loop of the stream kernel takes 1.4 times as long). The
preference is a function attribute, so it is set on this package's own loops alone: no environment variable, no setting of
numba is changed, and whatever else a process compiles, before or after, is left as it was.

SPIKESIM_VECTOR_BITS=128, 256 or 512 sets another preference. Without it, nothing is asked for where the user has chosen a
processor or its features (NUMBA_CPU_NAME, NUMBA_CPU_FEATURES, or the same in numba.config). Read once, before the first
kernel is made.
"""

import os
from functools import cache

import llvmlite.binding as llvm
from numba import config, types
from numba.extending import intrinsic

from spikesim.errors import need

VARIABLE = "SPIKESIM_VECTOR_BITS"
CHOICES = ("128", "256", "512")
WIDE = ("avx512f", "avx512bw", "avx512dq", "avx512vl")
"""Features that make 512 bits worth asking for."""


@cache
def vector_bits() -> int | None:
    """Bits that loops are asked to be vectorised to; None leaves the choice to LLVM.

    Raises:
        ValueError: If SPIKESIM_VECTOR_BITS is none of CHOICES.
    """
    asked = os.environ.get(VARIABLE, "")
    need(asked in ("", *CHOICES), f"{VARIABLE} in {CHOICES}, or unset", **{VARIABLE: asked})
    if asked:
        return int(asked)
    if any(getattr(config, name, None) is not None for name in ("CPU_NAME", "CPU_FEATURES")):
        return None
    return 512 if _host_is_wide() else None


def _host_is_wide() -> bool:
    try:
        features = llvm.get_host_cpu_features()
    except RuntimeError:  # a processor that LLVM cannot ask
        return False
    return all(features.get(name, False) for name in WIDE)


def widen(builder):
    """Ask for `vector_bits` in the function that an LLVM builder is at."""
    bits = vector_bits()
    if bits is not None:  # llvmlite's own `add` knows attributes without a value only
        set.add(builder.function.attributes, f'"prefer-vector-width"="{bits}"')


@intrinsic
def full_width(typing):  # noqa: ARG001 (the signature numba asks for)
    """A compiled function that calls this has its loops vectorised to `vector_bits`."""

    def mark(ctx, builder, _sig, _args):
        widen(builder)
        return ctx.get_dummy_value()

    return types.none(), mark
