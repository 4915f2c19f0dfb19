"""Stages that change singular values alone, X = U diag(d) V^T to U diag(f(d)) V^T; those of one matrix share its SVD."""

from spikesim.arrays import Array
from spikesim.polar import SVD, svd
from spikesim.stages.base import Stage


class Spectral(Stage):
    """Base of stages that are functions of singular values."""

    def of(self, found: SVD) -> Array:
        """Of a matrix with this SVD, (..., m, n)."""
        raise NotImplementedError

    def apply(self, x: Array) -> Array:
        """See `Stage.apply`."""
        return self.of(svd(x))
