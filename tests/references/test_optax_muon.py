"""Our stages against optax: same gradients in, same update out, both in float32 and to rounding.

optax writes parameters with d_in rows, so what it calls fan_out / fan_in is columns by rows: it is given transposed
gradients, and its updates are transposed back. Its momentum is debiased, the average in a look-ahead by
one step more than the newest gradient.
"""

import numpy as np
import pytest
from same_gradients import CASES, READ, SHAPES, TINY, gradients, ours, worst

from spikesim.filters import EMA, Family, Nesterov

REASON = "needs optax >= 0.2.8 and jax: make references"
optax = pytest.importorskip("optax", "0.2.8", reason=REASON)
jax = pytest.importorskip("jax", reason=REASON)
contrib = pytest.importorskip("optax.contrib", reason=REASON)

ROUNDING = 5e-5
"""Of float32, relative to the largest entry: five steps of a quintic of slope 3.4445 make 500 units of 1e-7."""
QUINTIC = "NewtonSchulz((3.4445, -4.775, 2.0315), 5, scaling='frobenius+1e-8')"
CUBIC = "NewtonSchulz((1.5, -0.5, 0.0), 12, scaling='frobenius+1e-8')"
DION = (
    "NewtonSchulz(((4.0848, -6.8946, 2.9270), (3.9505, -6.3029, 2.6377), (3.7418, -5.5913, 2.3037), "
    "(2.8769, -3.1427, 1.2046), (2.8366, -3.0525, 1.2012)), scaling='frobenius+1e-8')"
)
AHEAD, AVERAGE = "Filter(Nesterov(start='debiased'))", "Filter(EMA(start='debiased'))"
FORMS = {
    "nesterov": (f"{AHEAD} -> {QUINTIC} -> ShapeFactor('muon')", lambda: contrib.muon(-1.0)),
    "plain": (f"{AVERAGE} -> {QUINTIC} -> ShapeFactor('muon')", lambda: contrib.muon(-1.0, nesterov=False)),
    "adam-rms": (f"{AHEAD} -> {QUINTIC} -> ShapeFactor('adam-rms')", lambda: contrib.muon(-1.0, consistent_rms=0.2)),
    "without factors": (f"{AHEAD} -> {QUINTIC}", lambda: contrib.scale_by_muon()),
    "adaptive": (f"{AHEAD} -> DualNorm({QUINTIC})", lambda: contrib.scale_by_muon(adaptive=True)),
    "cubic": (f"{AHEAD} -> {CUBIC}", lambda: contrib.scale_by_muon((1.5, -0.5, 0.0), 12)),
    "dion": (f"{AHEAD} -> {DION} -> ShapeFactor('muon')", lambda: contrib.muon(-1.0, "dion")),
    "heavy ball": (
        f"Filter(HeavyBall) -> {QUINTIC}",
        lambda: optax.chain(optax.trace(0.95), contrib.scale_by_muon(beta=0.0, nesterov=False)),
    ),
    "another epsilon": (f"{AHEAD} -> {QUINTIC.replace('1e-8', '1e-7')}", lambda: contrib.scale_by_muon(eps=1e-7)),
}
OTHERS = {
    "ema": (AVERAGE, lambda: optax.ema(0.95)),
    "ema, not debiased": ("Filter()", lambda: optax.ema(0.95, debias=False)),
    "heavy ball": ("Filter(HeavyBall)", lambda: optax.trace(0.95)),
    "heavy ball, nesterov": ("Filter(Lookahead(nu=19.0, kappa=1.0))", lambda: optax.trace(0.95, nesterov=True)),
    "clip": ("Clip(2.0) -> Filter()", lambda: optax.chain(optax.clip_by_global_norm(2.0), optax.ema(0.95, debias=False))),
    "sign": ("Sign() -> Filter()", lambda: optax.chain(optax.scale_by_sign(), optax.ema(0.95, debias=False))),
}


def theirs(g, transform):
    """Updates after the steps READ, (len(READ), m, n)."""
    return np.swapaxes(as_they_are(np.swapaxes(g, 1, 2), transform), 1, 2)


def as_they_are(g, transform):
    """The same without transposing."""
    parameter = jax.numpy.zeros(g.shape[1:])

    def step(state, x):
        update, state = transform.update(x, state, parameter)
        return state, update

    _, out = jax.lax.scan(step, transform.init(parameter), jax.numpy.asarray(g))
    assert out.dtype == np.float32
    return np.asarray(out)[np.array(READ) - 1]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("shape", "scale"), CASES, ids=str)
def test_updates_are_optaxs_to_rounding(shape, scale, form):
    (text, transform), g = FORMS[form], gradients(shape, scale)
    assert worst(ours(text, g), theirs(g, transform())) < ROUNDING


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_aol_scaling_is_optaxs(shape):
    """Of rows where the matrix is square, so that it must not be transposed."""
    text, g = f"{AHEAD} -> {QUINTIC.replace('frobenius+1e-8', 'aol')}", gradients(shape)
    assert worst(ours(text, g), as_they_are(g, contrib.scale_by_muon(preconditioning="aol"))) < ROUNDING


@pytest.mark.parametrize("name", ["dion", "muon"])
def test_presets_are_optaxs_where_no_epsilon_matters(name):
    text, g = f"{AHEAD} -> NewtonSchulz('{name}') -> ShapeFactor('muon')", gradients((16, 24), 1e4)
    preset = {"dion": "dion", "muon": "standard"}[name]
    assert worst(ours(text, g), theirs(g, contrib.muon(-1.0, preset))) < ROUNDING


@pytest.mark.parametrize("other", OTHERS)
def test_filters_and_what_precedes_them_are_optaxs(other):
    (text, transform), g = OTHERS[other], gradients((6, 5))
    assert worst(ours(text, g), theirs(g, transform())) < 5e-6


@pytest.mark.parametrize("start", [EMA, Nesterov])
def test_adam_and_nadam_are_optaxs(start):
    g = gradients((6, 5))
    found = ours("Adam(1000.0, 1e-8)", g, Family(start, start="debiased"))
    assert worst(found, theirs(g, optax.scale_by_adam(0.95, nesterov=start is Nesterov))) < 5e-5  # 1 - 0.999**t in float32


@pytest.mark.parametrize(
    ("scale", "text"),
    [
        (1.0, f"Filter(Nesterov) -> {QUINTIC} -> ShapeFactor('muon')"),
        (1.0, f"{AVERAGE} -> {QUINTIC} -> ShapeFactor('muon')"),
        (1.0, f"{AHEAD} -> {QUINTIC} -> ShapeFactor('rms-rms')"),
        (1.0, f"{AHEAD} -> {QUINTIC.replace(', 5', ', 6')} -> ShapeFactor('muon')"),
        (1.0, f"{AHEAD} -> {QUINTIC.replace('scaling', 'dtype=' + repr('bfloat16') + ', scaling')} -> ShapeFactor('muon')"),
        (TINY, f"{AHEAD} -> {QUINTIC.replace('1e-8', '1e-7')} -> ShapeFactor('muon')"),
        (TINY, f"{AHEAD} -> NewtonSchulz('muon') -> ShapeFactor('muon')"),
    ],
)
def test_anything_else_is_told_apart(scale, text):
    g = gradients((8, 20), scale)
    assert worst(ours(text, g), theirs(g, contrib.muon(-1.0))) > 20 * ROUNDING
