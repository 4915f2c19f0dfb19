"""How large a signal is, how noisy, and how fast it turns: estimated from the gradients alone, while they come in.

Notation: S_b is the mean of the b-th block of B = 1, 2, 4, ... steps, <X, Y> the Frobenius inner product, eta = E‖Xi‖_F^2.
Noise that is orthogonal over steps leaves inner products of disjoint blocks without bias, so that for vectors that turn by
omega a step

    C_B = E <G_b, G_{b+1}> = A rho_B(omega),   A = ‖S‖_F^2,   E‖G‖_F^2 = A + eta
    rho_B = (sin(omega B/2) / (B sin(omega/2)))^2 cos(omega B)

and for independent entries the mean of n such products has a variance near (eta/mn) (eta/B^2 + 2 A/B)/n. Weighted least
squares over B give A at every omega and, with these variances, how likely each omega is.

Source: theory.md F12.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from spikesim.arrays import Array, array_namespace, inner

TURNS, SLOWEST = 192, 1e-5
"""Angles omega that are told apart, from SLOWEST to pi, evenly in their logarithm."""


@dataclass(frozen=True)
class Motion:
    """What is estimated, each (..., W).

    Attributes:
        signal: A = ‖S‖_F^2, >= 0.
        noise: eta = E‖Xi‖_F^2, >= 0.
        chances: (..., W, TURNS), how likely each angle of `angles` is; they sum to 1.
    """

    signal: Array
    noise: Array
    chances: Array

    @property
    def drift(self) -> Array:
        """Omega in radians a step: the mean of the angles by their chances."""
        xp = array_namespace(self.chances)
        return xp.sum(self.chances * xp.asarray(angles()), axis=-1)


@cache
def angles() -> NDArray[np.float64]:
    """Omega, (TURNS,), rising."""
    return np.geomspace(SLOWEST, np.pi, TURNS)


@cache
def persistence(block: int) -> NDArray[np.float64]:
    """rho_B at every angle, (TURNS,)."""
    omega = angles()
    return (np.sin(omega * block / 2) / (block * np.sin(omega / 2))) ** 2 * np.cos(omega * block)


class Blocks:
    """Mean inner products of neighbouring blocks of a stream, block lengths doubling, one matrix kept of each length.

    Args:
        memory: Steps that means look back; until then all are weighed alike. The longest block has at most an eighth of it.

    Attributes:
        products: Means of <G_b, G_{b+1}> for blocks of 1, 2, 4, ... steps, each (..., W).
        power: Mean of ‖G‖_F^2, (..., W).
    """

    def __init__(self, memory: float) -> None:
        self._memory, self._levels = memory, int(np.log2(memory / 8)) + 1
        self._last: list[Array] = [None] * self._levels
        self._blocks = [0] * self._levels
        self.products: list[Array] = []
        self.power: Array = None
        self._shape = (0, 0)

    def push(self, x: Array) -> None:
        """Take a step's matrices (..., W, m, n)."""
        xp = array_namespace(x)
        total, self._shape = xp.asarray(x, copy=True), x.shape[-2:]
        power = xp.astype(inner(x, x), xp.float64)
        rate = max(1 / (self._blocks[0] + 1), 1 / self._memory)
        self.power = power if self.power is None else self.power + rate * (power - self.power)
        for level in range(self._levels):
            before, self._last[level] = self._last[level], total
            self._blocks[level] += 1
            if before is None:
                return
            self._take(level, xp.astype(inner(before, total), xp.float64) / 4.0**level)
            if self._blocks[level] % 2:
                return
            total = before + total

    def _take(self, level: int, product: Array) -> None:
        if level == len(self.products):
            self.products.append(product)
            return
        rate = max(1 / (self._blocks[level] - 1), 2**level / self._memory)
        self.products[level] = self.products[level] + rate * (product - self.products[level])

    def motion(self) -> Motion:
        """What the products so far say; needs two steps."""
        shares = self._shape[0] * self._shape[1]
        xp, power = array_namespace(self.power), positive(self.power)
        signal, noise = xp.zeros_like(power), power
        for _ in range(2):  # once with the variance of noise alone, once with that of the signal found
            signal, chances = self._fitted([noise / shares * (noise / 4.0**j + 2 * signal / 2.0**j) for j in self._seen])
            signal = xp.minimum(signal, power)
            noise = xp.maximum(power - signal, 1e-6 * power)
        return Motion(signal, noise, chances)

    @property
    def _seen(self) -> range:
        return range(len(self.products))

    def _fitted(self, variances: list[Array]) -> tuple[Array, Array]:
        """A and the chances of each angle, by the variances of single products."""
        xp = array_namespace(variances[0])
        along, size = 0.0, 0.0
        for j in self._seen:
            count = min(self._blocks[j] - 1, 2 * self._memory / 2**j - 1)
            rho, weight = xp.asarray(persistence(2**j)), (count / variances[j])[..., None]
            along = along + weight * self.products[j][..., None] * rho
            size = size + weight * rho**2
        signals = xp.where(along > 0, along, xp.zeros_like(along)) / size
        score = signals * along / 2
        chances = xp.exp(score - xp.max(score, axis=-1, keepdims=True))
        chances = chances / xp.sum(chances, axis=-1, keepdims=True)
        return xp.sum(chances * signals, axis=-1), chances


def positive(x: Array) -> Array:
    """Itself where positive, and 1 where it is 0, of a stream of zeros."""
    xp = array_namespace(x)
    return xp.where(x > 0, x, xp.ones_like(x))
