"""Published odd polynomial iterations: coefficients (a, b, c) of a s + b s^3 + c s^5 for each step, and what precedes them.

What each converges to, if anything, is theory.md O1; the numbers are as published, to the digits given there.
"""

from dataclasses import dataclass

import numpy as np

from spikesim.errors import need
from spikesim.orthogonal.scaling import SCALINGS, Scaling

Polynomial = tuple[float, ...]

MOST_STEPS = 1000
"""Largest number of steps: they are listed, one polynomial each."""


@dataclass(frozen=True)
class Iteration:
    """A published iteration.

    Args:
        name: As the field calls it.
        polynomials: Coefficients of s, s^3, s^5, ... for each listed step; at least one.
        then: The polynomial of every step after these.
        scaling: What is done first.
        source: Where it is from.
        steps: How many steps its users take.
    """

    name: str
    polynomials: tuple[Polynomial, ...]
    then: Polynomial
    scaling: Scaling
    source: str
    steps: int

    def schedule(self, steps: int | None = None) -> tuple[Polynomial, ...]:
        """The polynomials of any number of steps: the first of those listed, and `then` for what is beyond them.

        Args:
            steps: 1 to MOST_STEPS; None for as many as its users take.

        Raises:
            ValueError: If steps is not such a whole number.
        """
        steps = self.steps if steps is None else steps
        whole = isinstance(steps, int | np.integer) and not isinstance(steps, bool)
        need(whole and steps >= 1, "steps: an integer >= 1 or None", steps=steps)
        need(steps <= MOST_STEPS, f"steps <= {MOST_STEPS}", steps=steps)
        beyond = max(0, int(steps) - len(self.polynomials))
        return (*self.polynomials[: int(steps)], *([self.then] * beyond))


def _repeated(name: str, polynomial: Polynomial, scaling: str, source: str, steps: int) -> Iteration:
    return Iteration(name, (polynomial,), polynomial, SCALINGS[scaling], source, steps)


CUBIC = _repeated(
    "cubic", (3 / 2, -1 / 2, 0.0), "frobenius", "Bernstein and Newhouse, arXiv 2409.20325; Higham (2008), (8.20)", 12
)
"""Converges to the polar factor, quadratically in the end; steps: 12 takes singular values in [0.01, 1] to [0.89, 1]."""

MUON = _repeated("muon", (3.4445, -4.7750, 2.0315), "frobenius+1e-7", "Jordan et al., Muon (2024)", 5)
"""Does not converge: singular values keep moving within a band about 1 (theory.md O1)."""

_DION = (
    (4.0848, -6.8946, 2.9270), (3.9505, -6.3029, 2.6377), (3.7418, -5.5913, 2.3037), (2.8769, -3.1427, 1.2046),
    (2.8366, -3.0525, 1.2012),
)  # fmt: skip
DION = Iteration("dion", _DION, _DION[-1], SCALINGS["frobenius"], "Ahn et al., Dion, arXiv 2504.05295, its code", 5)
"""Nothing is published beyond five steps: the last is repeated, whose limit is 0.989."""

_POLAR_EXPRESS = (
    (8.156555, -22.483293, 15.878770), (4.042930, -2.808917, 0.500018), (3.891668, -2.772484, 0.506065),
    (3.285754, -2.368129, 0.464490), (2.346541, -1.709783, 0.423236),
)  # fmt: skip
POLAR_EXPRESS = Iteration(
    "polar-express", _POLAR_EXPRESS, (15 / 8, -10 / 8, 3 / 8), SCALINGS["1.02 frobenius+1e-6"],
    "Amsel et al., arXiv 2505.16932", 5,
)  # fmt: skip
"""Minimax quintics in turn, made for rounding; then the quintic of cubic order, which converges to 1."""

_AOL = (
    (4.6051, -9.6552, 5.6769), (4.7505, -6.0861, 2.1790), (2.7763, -2.3190, 0.5523), (2.4231, -2.2861, 0.8193),
)  # fmt: skip
AOL = Iteration("aol", _AOL, _AOL[-1], SCALINGS["aol"], "Boissin et al., Turbo-Muon, arXiv 2512.04632", 4)
"""Nothing is published beyond four steps: the last is repeated, whose limit is 0.968."""

ITERATIONS = {i.name: i for i in (CUBIC, MUON, DION, POLAR_EXPRESS, AOL)}
"""The iterations by name."""
