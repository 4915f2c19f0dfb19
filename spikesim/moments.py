"""What bias and variance are made of: sums over trials of D = A - O(S) and of ‖D‖_F^2, with twice the digits.

So they are the same, to the last bit of a float64, however trials are cut into blocks and in whatever order blocks are added
(kernels/sums.py): blocks may be drawn by different machines, and trials added years later.
"""

from dataclasses import dataclass

from spikesim.arrays import Array, array_namespace, host, transpose
from spikesim.kernels.sums import Pair, added
from spikesim.observables import moments


@dataclass(frozen=True)
class Moments:
    """Sums over `count` trials, float64.

    Args:
        count: Of trials.
        total: Of D, a pair (..., m, n).
        squares: Of ‖D‖_F^2, a pair (...).
    """

    count: int
    total: Pair
    squares: Pair

    @classmethod
    def of(cls, deviations: Array) -> "Moments":
        """Of D (trial, ..., m, n), float64, one trial or more; NumPy's, wherever D is."""
        xp = array_namespace(deviations)
        total, squares = None, None
        for i in range(deviations.shape[0]):
            d = xp.asarray(deviations[i, ...], copy=True)
            flat = xp.reshape(d, (*d.shape[:-2], 1, -1))
            square = xp.asarray((flat @ transpose(flat))[..., 0, 0], copy=True)
            new, newer = (d, xp.zeros_like(d)), (square, xp.zeros_like(square))
            total = new if total is None else added(total, new)
            squares = newer if squares is None else added(squares, newer)
        assert total is not None
        assert squares is not None
        return cls(deviations.shape[0], (host(total[0]), host(total[1])), (host(squares[0]), host(squares[1])))

    def __add__(self, other: "Moments") -> "Moments":
        copied = [(high.copy(), low.copy()) for high, low in (self.total, self.squares)]
        total, squares = added(copied[0], other.total), added(copied[1], other.squares)
        return Moments(self.count + other.count, total, squares)

    def estimates(self) -> tuple[Array, Array]:
        """Bias squared and variance, (...), each; two trials or more (observables.moments)."""
        return moments(self.total[0], self.squares[0], self.count)
