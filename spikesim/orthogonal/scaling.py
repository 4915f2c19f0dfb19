"""What is done to a matrix before an odd polynomial iteration, so that its singular values are at most 1.

Every scaling says whether it knows the size of its input: those with an epsilon do, and their iterations are no longer
scale-invariant where ‖x‖_F is not far above it (theory.md O2).
"""

from collections.abc import Callable
from dataclasses import dataclass

from spikesim.arrays import Array, array_namespace, binary_scale, frobenius, transpose
from spikesim.errors import need

Rounding = Callable[[Array], Array]


def unrounded(x: Array) -> Array:
    """x itself: arithmetic in x's own number type."""
    return x


@dataclass(frozen=True)
class Frobenius:
    """x <- x / (factor ‖x‖_F + epsilon), or x / max(factor ‖x‖_F, epsilon): singular values at most 1/factor; 0 stays 0.

    Args:
        factor: Above 0; above 1 leaves room for rounding.
        epsilon: 0 or more, in units of x. 0 is exact at any scale, subnormal numbers included. With it, matrices of
            ‖x‖_F << epsilon stay small: singular values are σ / epsilon, not σ / ‖x‖_F. Where ‖x‖_F overflows, 0 is left.
        clamp: Whether epsilon is the least divisor rather than added to it.

    Raises:
        ValueError: If factor is not a positive number, or epsilon not 0 or one.

    Source: theory.md O2.
    """

    factor: float = 1.0
    epsilon: float = 0.0
    clamp: bool = False

    def __post_init__(self) -> None:
        need(0 < self.factor < float("inf"), "0 < factor < inf", factor=self.factor)
        need(0 <= self.epsilon < float("inf"), "0 <= epsilon < inf", epsilon=self.epsilon)

    @property
    def invariant(self) -> bool:
        """Whether the scale of x cancels."""
        return self.epsilon == 0

    def __call__(self, x: Array, rounded: Rounding = unrounded) -> Array:
        """Scaled matrices (..., m, n), every operation followed by `rounded`."""
        xp = array_namespace(x)
        if self.invariant:
            x = x / binary_scale(x)
        divisor = rounded(frobenius(x)[..., None, None])
        divisor = rounded(self.factor * divisor) if self.factor != 1 else divisor
        if self.clamp:
            divisor = rounded(xp.where(divisor < self.epsilon, xp.full_like(divisor, self.epsilon), divisor))
        elif self.epsilon > 0:
            divisor = rounded(divisor + self.epsilon)
        return rounded(x / xp.where(divisor > 0, divisor, xp.ones_like(divisor)))


@dataclass(frozen=True)
class AlmostOrthogonal:
    """x <- D^(-1/2) x, D_ii = sum_j |x x^T|_ij, for m <= n; x <- x D^(-1/2), D_ii = sum_j |x^T x|_ij, for m > n.

    Singular values are at most 1 (theory.md O2), usually much nearer to it than by ‖x‖_F. The rows (columns) of the smaller
    side are scaled differently, so singular vectors change, and an iteration that follows tends to O(D^(-1/2) x), which is
    not O(x) unless x has orthogonal rows. Zero rows stay zero, and
    rows of less than 1e-160 of the largest stay next to zero; the scale of x cancels at any size, as there is no epsilon.

    Source: Prach and Lampert, arXiv 2208.03160 (the bound); Boissin et al., arXiv 2512.04632 (before an iteration).
    """

    @property
    def invariant(self) -> bool:
        """Whether the scale of x cancels: always."""
        return True

    def __call__(self, x: Array, rounded: Rounding = unrounded) -> Array:
        """Scaled matrices (..., m, n), every operation followed by `rounded`."""
        if x.shape[-2] > x.shape[-1]:
            return transpose(self(transpose(x), rounded))
        xp = array_namespace(x)
        x = x / binary_scale(x)
        sums = rounded(xp.sum(xp.abs(rounded(x @ transpose(x))), axis=-1, keepdims=True))
        root = rounded(xp.sqrt(xp.where(sums > 0, sums, xp.ones_like(sums))))
        return rounded(x / root)


Scaling = Frobenius | AlmostOrthogonal

SCALINGS: dict[str, Scaling] = {
    "frobenius": Frobenius(),
    "frobenius+1e-7": Frobenius(epsilon=1e-7),
    "frobenius+1e-8": Frobenius(epsilon=1e-8),
    "max(frobenius, 1e-7)": Frobenius(epsilon=1e-7, clamp=True),
    "1.02 frobenius+1e-6": Frobenius(1.02, 1e-6),
    "aol": AlmostOrthogonal(),
}
"""Scalings by name: exact; Muon's first code; optax.contrib.muon; torch.optim.Muon; Polar Express; almost orthogonal."""


def scaling_from(scaling: str | Scaling | None) -> Scaling | None:
    """A scaling from its name or itself; None is no scaling.

    Raises:
        ValueError: If the name is unknown.
    """
    if scaling is None or isinstance(scaling, Frobenius | AlmostOrthogonal):
        return scaling
    need(isinstance(scaling, str) and scaling in SCALINGS, f"scaling in {(*SCALINGS, None)} or a Scaling", scaling=scaling)
    return SCALINGS[scaling]
