"""Our Muon against torch.optim.Muon: same gradients in, same update out.

torch's iteration runs in bfloat16 whatever the parameters are (no argument changes that), so it is held against our emulated
bfloat16, within a tolerance on singular values. What precedes it, momentum, is float32 there and compared to rounding.
"""

import numpy as np
import pytest
from same_gradients import CASES, READ, TINY, gradients, ours, worst

from spikesim.orthogonal.factors import shape_factor

torch = pytest.importorskip("torch", "2.9", reason="needs torch >= 2.9 (torch.optim.Muon): make references")

torch.set_num_threads(1)  # matrices are small

UNIT = 2.0**-8
"""Relative spacing of bfloat16 numbers, half of it the largest error of one rounding."""
TOLERANCE = 12 * UNIT
"""On singular values without their shape factor, and on relative norms of differences: 0.047. Sums in another order round the
other way now and then, and one unit in the norm that all is divided by moves singular values by up to 9 units in five steps.
"""
QUINTIC = "NewtonSchulz((3.4445, -4.775, 2.0315), 5, 'bfloat16', 'max(frobenius, 1e-7)')"
CUBIC = "NewtonSchulz((1.5, -0.5, 0.0), 12, 'bfloat16', 'max(frobenius, 1e-7)')"
FORMS = {
    "nesterov": (f"Filter(Nesterov) -> {QUINTIC} -> ShapeFactor('muon')", {}),
    "plain": (f"Filter() -> {QUINTIC} -> ShapeFactor('muon')", {"nesterov": False, "adjust_lr_fn": "original"}),
    "adam-rms": (f"Filter(Nesterov) -> {QUINTIC} -> ShapeFactor('adam-rms')", {"adjust_lr_fn": "match_rms_adamw"}),
    "cubic": (
        f"Filter() -> {CUBIC} -> ShapeFactor('muon')",
        {"nesterov": False, "ns_coefficients": (1.5, -0.5, 0.0), "ns_steps": 12},
    ),
}


def theirs(g, **options):
    """Updates after the steps READ, of learning rate 1 and without weight decay, and the last momentum buffer."""
    parameter = torch.nn.Parameter(torch.zeros(g.shape[1:]))
    optimizer = torch.optim.Muon([parameter], lr=1.0, weight_decay=0.0, momentum=0.95, **options)
    out = []
    for x in g:
        parameter.data.zero_()
        parameter.grad = torch.from_numpy(x.copy())
        optimizer.step()
        out.append(-parameter.detach().numpy().copy())
    return np.stack([out[t - 1] for t in READ]), optimizer.state[parameter]["momentum_buffer"].numpy()


def apart(a, b, factor):
    """Largest difference of singular values, and largest relative ‖a - b‖_F."""
    a, b = a.astype(float), b.astype(float)
    values = np.abs(np.linalg.svdvals(a) - np.linalg.svdvals(b)).max() / factor
    return values, (np.linalg.norm(a - b, axis=(1, 2)) / np.linalg.norm(b, axis=(1, 2))).max()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("shape", "scale"), CASES, ids=str)
def test_updates_are_torchs(shape, scale, form):
    text, options = FORMS[form]
    g = gradients(shape, scale)
    found, expected = ours(text, g), theirs(g, **options)[0]
    values, all_of_it = apart(found, expected, shape_factor(shape, "adam-rms" if form == "adam-rms" else "muon"))
    assert values < TOLERANCE
    assert all_of_it < TOLERANCE


@pytest.mark.parametrize(("shape", "scale"), CASES, ids=str)
def test_the_momentum_buffer_is_torchs_to_rounding(shape, scale):
    g = gradients(shape, scale)
    assert worst(ours("Filter()", g)[-1:], theirs(g)[1][None]) < 2e-6


@pytest.mark.parametrize(
    ("scale", "text"),
    [
        (1.0, f"Filter() -> {QUINTIC} -> ShapeFactor('muon')"),
        (1.0, f"Filter(Nesterov) -> {QUINTIC.replace(' 5,', ' 6,')} -> ShapeFactor('muon')"),
        (1.0, "Filter(Nesterov) -> Polar() -> ShapeFactor('muon')"),
        (1.0, f"Filter(Nesterov) -> {QUINTIC}"),
        (1.0, f"{QUINTIC} -> Filter(Nesterov) -> ShapeFactor('muon')"),
        (TINY, "Filter(Nesterov) -> NewtonSchulz('muon', dtype='bfloat16') -> ShapeFactor('muon')"),
    ],
)
def test_anything_else_is_told_apart(scale, text):
    g = gradients((20, 8), scale)
    assert max(apart(ours(text, g), theirs(g)[0], shape_factor((20, 8), "muon"))) > 1.5 * TOLERANCE


def test_heavy_ball_has_the_same_update_where_no_epsilon_matters():
    """But for bfloat16, which rounds 20 times a matrix another way."""
    g = gradients((20, 8))
    for plain, options in (("Filter(HeavyBall)", {"nesterov": False}), ("Filter(Lookahead(nu=19.0, kappa=1.0))", {})):
        text = f"{plain} -> NewtonSchulz('muon', dtype='bfloat16') -> ShapeFactor('muon')"
        assert max(apart(ours(text, g), theirs(g, **options)[0], shape_factor((20, 8), "muon"))) < TOLERANCE


@pytest.mark.parametrize(("nesterov", "filter_"), [(False, "HeavyBall"), (True, "Lookahead(nu=19.0, kappa=1.0)")])
def test_momentum_of_sgd_is_heavy_ball(nesterov, filter_):
    g = gradients((5, 4))
    parameter, out = torch.nn.Parameter(torch.zeros(5, 4)), []
    optimizer = torch.optim.SGD([parameter], lr=1.0, momentum=0.95, nesterov=nesterov)
    for x in g:
        parameter.data.zero_()
        parameter.grad = torch.from_numpy(x.copy())
        optimizer.step()
        out.append(-parameter.detach().numpy().copy())
    assert worst(ours(f"Filter({filter_})", g), np.stack([out[t - 1] for t in READ])) < 2e-6
