"""Blocks of trials on this machine's cores, and what every device has to offer."""

import os
import platform
from collections.abc import Sequence
from contextlib import nullcontext
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spikesim.arrays import Array
from spikesim.kernels.cpu import stream_kernel
from spikesim.kernels.fills import BLOCK
from spikesim.kernels.mix import mix
from spikesim.spectrum import Dispatched, Tally


class CPU:
    """NumPy's arrays, kernels compiled for this processor."""

    name = "cpu"
    pad = BLOCK
    """Entries of a matrix are rounded up to a multiple of this."""
    block_bytes = 1 << 25
    """What the buffers of one block may take."""
    chunk_bytes = 1 << 22
    """What the gradients of one chunk may take, over all trials of a block."""
    chunk_work = 1 << 25
    """Entry-steps of a chunk whose gradients nothing needs: about a tenth of a second, after which a run can be stopped."""
    overlap = 0
    """Blocks that are under way at once; 0 for one a core."""

    @property
    def xp(self) -> ModuleType:
        """The namespace of its arrays."""
        return np

    def __str__(self) -> str:
        return f"cpu ({platform.machine()})"

    def array(self, x: ArrayLike, dtype: Any = None) -> Array:
        """An array of this device."""
        return self.xp.asarray(x if dtype is None else np.asarray(x, dtype))

    def check(self) -> None:
        """Refuse what the calling thread has set up otherwise."""

    def versions(self) -> dict[str, str]:
        """Of further packages that results depend on."""
        return {}

    def memory(self) -> float:
        """Bytes in all; infinite where the machine does not tell."""
        try:
            return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
        except (AttributeError, OSError, ValueError):
            return float("inf")

    def room(self) -> tuple[int, int]:
        """What the buffers of one block may take, in bytes, and how many trials it may have."""
        return self.block_bytes, 64

    def at_work(self) -> Any:
        """Context in which one block runs; what it has made is there at its end, for any thread."""
        return nullcontext()

    def draw(
        self, fill: str, sums: Array, out: Array, memory: Array, beta: Array, factor: Array, step: int, steps: int,
        trials: Sequence[int], domain: int, key: tuple[np.uint64, np.uint64], p: Array, scale: Array, shift: Array,
    ) -> None:  # fmt: skip
        """Advance unit noise and its averages, in place; see kernels/cpu.py for what the arguments hold, trial by trial.

        Args:
            fill: Name of a law's fill.
            sums: (B, K, E), contiguous, as all arrays.
            out: (B, steps * N) or (B, 0).
            memory: (B, E), float64.
            beta: (K,).
            factor: (B, steps) or (B, 0).
            step: Even.
            steps: How many.
            trials: B global numbers.
            domain: One of rng's.
            key: rng.key of the seed.
            p: The law's parameters.
            scale: (N,).
            shift: (N,).
        """
        kernel = stream_kernel(fill)
        for i, trial in enumerate(trials):
            at = np.uint64(trial), np.uint64(domain), *key, p
            kernel(sums[i].reshape(-1), out[i], memory[i], beta, factor[i], step, steps, *at, scale, shift)

    def mix(self, roots: Array, z: Array) -> Array:
        """roots z for lower-triangular roots (B, L, L) and z (B, L, N), float64."""
        out = np.empty_like(z)
        for one, root, rows in zip(out, roots, z, strict=True):
            mix(one, root, rows)
        return out

    def spectra(self, x: Array, tally: Tally) -> Any:
        """What answers for a stack of matrices (spectrum.py)."""
        return Dispatched(x, tally)
