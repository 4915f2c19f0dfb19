"""The figure of window choice: crossings and tops of known curves, losses that chance does not make, and S4 by hand."""

import numpy as np
import pytest
from harness import script, tiny
from scipy.integrate import quad

TRIALS = 20
WINDOWS = [1, 1.7, 3, 5.5, 10, 20, 40, 80]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("window_choice", tmp_path_factory.mktemp("store"), trials=TRIALS)


@pytest.fixture(scope="module")
def module():
    return script("window_choice")


def made(module, samples, windows=None, at=((16, 24), 1.0, 4.898979), omega=0.05):
    windows = np.geomspace(1, 100, 15) if windows is None else windows
    return module.Cell("", at, omega, windows, samples)


def test_reaching_and_best_are_those_of_curves_whose_answer_is_known(module):
    windows = np.geomspace(1, 100, 15)
    rising = made(module, (1 - 0.5 / windows)[None])  # 0.9 at T = 5
    assert rising.reaching(rising.samples.mean(0)) == pytest.approx(5, rel=0.012)  # the grid's step
    assert np.isnan(rising.reaching(0.5 * rising.samples.mean(0)))
    top = made(module, (0.8 - 0.1 * np.log(windows / 7) ** 2)[None])
    assert top.best(top.samples.mean(0)) == pytest.approx(7, rel=0.012)
    assert top.y == pytest.approx(1, rel=1e-6)


def test_losses_are_of_the_other_half_of_the_trials(module):
    """Pure noise has no best window: searched and read on the same trials it would seem to have one."""
    windows = np.geomspace(1, 100, 15)
    noise = made(module, np.random.default_rng(5).standard_normal((400, 15)))
    lost, error = module._loss(noise, 10.0)
    assert abs(lost) < 4 * error
    same = noise.read(noise.samples.mean(0), noise.fine).max() - noise.read(noise.samples.mean(0), 10.0)
    assert same > 0
    shape = 0.8 - 0.1 * np.log(windows / 7) ** 2
    true = made(module, shape + np.random.default_rng(6).standard_normal((400, 1)))  # what trials share cancels
    assert module._loss(true, 14.0)[0] == pytest.approx(0.1 * np.log(2) ** 2, abs=1e-3)


def s4(theta, s, m, n):
    def integrand(x):
        b = x * x + s * s * (m + n)
        return theta / ((b + np.sqrt(b * b - 4 * s**4 * m * n)) / 2 + theta**2)

    return 2 / np.pi * quad(integrand, 0, np.inf, epsabs=1e-12)[0]


def test_curves_are_s4_the_critical_window_and_the_rule(module, store, tmp_path, drawn):
    module.draw(store, tmp_path / "figures")
    reaching, best, _ = drawn["axes"]
    m, n = 16, 24
    x, t = reaching["lines"]["16 × 24: critical window (S2)"][0]
    assert 2 * t - 1 == pytest.approx(max((m * n) ** 0.5 / (x * n**0.5) ** 2, 1), rel=1e-9)
    curve = next(xy for label, xy in reaching["lines"].items() if label.startswith("_") and len(xy) == 40)
    x, t = curve[0]  # the last shape's: 64 x 64, or another's
    sizes = [(16, 24), (32, 48), (64, 64)]
    assert any(abs(s4(x * max(k) ** 0.5, (2 * t - 1) ** -0.5, *k) - 0.9) < 1e-6 for k in sizes)
    length = best["lines"]["L + ⅔"]
    np.testing.assert_allclose(length[:, 1] - length[:, 0], 2 / 3)
    cells = [module._cell(r) for r in store]
    turning = [c for c in cells if c.omega]
    for c in turning:
        (m, n), sigma, spike = c.at
        assert c.length == pytest.approx((sigma**2 * (m + n) / (4 * spike**2 * c.omega**2)) ** (1 / 3))
    for omega in (0.01, 0.1):
        group = [c for c in turning if c.omega == omega]
        line = best["lines"][f"ω = {omega:g}"]
        assert set(np.round(line[:, 0], 9)) == {round(c.length, 9) for c in group}
        assert set(line[:, 1]) == {float(c.best(c.samples.mean(0))) for c in group}


def test_the_finding_holds_the_extremes_of_its_cells(module, store, tmp_path):
    outcome = module.draw(store, tmp_path / "figures")
    cells = [module._cell(r) for r in store]
    assert [c.windows.tolist() for c in cells] == [WINDOWS] * len(cells)
    turning = [c for c in cells if c.omega]
    lost = [module._loss(c, 10.0) for c in turning]
    value, error = max(lost)
    mean = np.mean([x for x, _ in lost])
    said = f"β = 0.9 loses {mean:.4f} on average and {value:.4f} ± {1.96 * error:.4f} at most"
    assert said in outcome.details
    for said, window in (("β = 0.95 up to", lambda _: 20.0), ("loses at most", module.RULES[module.RULE])):
        value, error = max(module._loss(c, window(c)) for c in turning)
        assert f"{said} {value:.4f} ± {1.96 * error:.4f}" in outcome.finding
    assert len(outcome.finding.split()) <= 60
    still = [c for c in cells if not c.omega]
    reached = {(c.name, round(c.y, 3)): float(c.reaching(c.samples.mean(0))) for c in still}
    assert reached["64 × 64", 4.0] == 1  # one gradient is enough
    assert reached["64 × 64", 0.5] > reached["64 × 64", 1.0] > 1
    assert "of 6 intervals hold it" in outcome.finding
    assert "of S4's in 6 cells" in outcome.details  # not those where one gradient is enough


def test_exponent_and_constant_are_found_where_they_are_put_in(module):
    """Cells whose best T is 0.8 L^0.9 + 2/3 at high SNR: exponent 0.3."""
    windows = np.geomspace(1, 300, 24)
    cells = []
    for omega in (0.003, 0.01, 0.03):
        for sigma in (0.1, 0.3, 0.6):
            c = made(module, np.zeros((30, 24)), windows, ((16, 24), sigma, 4.898979), omega)
            top = 0.8 * c.length**0.9 + 2 / 3
            noise = 1e-4 * np.random.default_rng(1).standard_normal((30, 24))
            cells.append(c._replace(samples=0.9 - 0.05 * np.log(windows / top) ** 2 + noise))
    finding = module._law_details(cells)
    exponent = float(finding.split("to the ")[1].split(" [")[0])
    assert exponent == pytest.approx(0.3, abs=0.01)
    used = [c.length for c in cells if c.length > 1]
    constant = float(finding.split("and is ")[1].split(" [")[0])
    assert constant == pytest.approx(0.8 * np.exp(np.mean(np.log(used)) * -0.1), rel=0.03)
