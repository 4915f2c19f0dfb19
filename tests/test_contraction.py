"""How far numbers may differ between targets that fuse products and sums in different places: a few units in the last place.

The CPU's compiler fuses where it likes to, a GPU's wherever it can; both compute the same formulas from the same words with
correctly rounded roots and divisions. Here each law is compiled twice, as it is and with nothing fused: what lies between is
what the choice is worth. kernels/fills.py: UNITS states the bounds, and `experiments/gpu.py` holds a real device to them.
"""

import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numba import njit

from spikesim.kernels import elementary, transforms
from spikesim.kernels.fills import UNITS

COUNT = 1 << 20


@cache
def unfused() -> ModuleType:
    """transforms, and elementary below it, compiled with no fast-math."""
    for module in (elementary, transforms):
        name = f"unfused_{module.__name__.split('.')[-1]}"
        source = Path(module.__file__).read_text()
        source = source.replace('FAST = {"nnan", "ninf", "nsz", "arcp", "contract"}', "FAST = False")
        source = source.replace("from spikesim.kernels import elementary as el", "import unfused_elementary as el")
        source = source.replace("from spikesim.kernels.elementary import", "from unfused_elementary import")
        made = ModuleType(name)
        sys.modules[name] = made
        exec(compile(source, name, "exec"), made.__dict__)
    assert made.FAST is False
    return made


def drawn(tr, law, p):
    """COUNT numbers of a law from the same words."""
    if law == "gaussian":

        @njit
        def number(w, v):
            x, y = tr_direction(v)
            return tr_radius(w) * (x + np.float32(0) * y)
    elif law in ("laplace", "pareto"):

        @njit
        def number(w, v):  # noqa: ARG001
            return one(w, uniform31(w, 0.5), p)
    elif law == "student_t":

        @njit
        def number(w, v):
            return one(uniform(w, 0.5), uniform(v, 0.5), p)
    else:

        @njit
        def number(w, v):
            return one(w, uniform31(w, 0.5), exponential(v), p)

    one = {"laplace": tr.laplace, "pareto": tr.symmetric_pareto, "student_t": tr.student_t, "stable": tr.stable}.get(law)
    tr_direction, tr_radius = tr.direction, tr.radius
    uniform, uniform31, exponential = tr.uniform, tr.uniform31, tr.exponential

    @njit
    def fill(words, others, out):
        for i in range(out.size):
            out[i] = number(words[i], others[i])

    random = np.random.default_rng(0)
    words, others = (random.integers(1 << 16, 1 << 32, COUNT, dtype=np.uint32) for _ in range(2))
    out = np.empty(COUNT, np.float32 if law == "gaussian" else np.float64)
    fill(words, others, out)
    return out


def units(a, b):
    """|a - b| in units in the last place of a."""
    return np.abs(a.astype(np.longdouble) - b) / np.spacing(np.abs(a))


@pytest.mark.parametrize(
    ("law", "p"),
    [("gaussian", 0.0), ("laplace", 0.0), ("pareto", 0.5), ("pareto", 3.0), ("student_t", 0.5), ("student_t", 3.0),
     ("student_t", 30.0), ("stable", 0.5), ("stable", 1.0), ("stable", 1.3), ("stable", 1.99)],
)  # fmt: skip
def test_fusing_moves_no_number_by_more_than_is_stated(law, p):
    apart = units(drawn(transforms, law, p), drawn(unfused(), law, p))
    print(law, p, float(apart.max()), float(np.mean(apart > 0)))
    assert np.max(apart) <= UNITS[law]
    assert np.mean(apart > 0) > 1e-3  # the two are not the same code


def test_a_coarser_formula_is_found():
    """Negative control: normals with one coefficient of the logarithm off by 1e-6."""
    a = drawn(transforms, "gaussian", 0.0)
    assert np.max(units(a, (a.astype(float) * (1 + 1e-6)).astype(np.float32))) > UNITS["gaussian"]
