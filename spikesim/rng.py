"""The random layout: which random word belongs to which (seed, trial, domain, step, entry).

Every draw is a pure function of its place, so results do not depend on threads, blocks, devices or order. The layout is
fixed; LAYOUT_VERSION changes if it ever does.

    generator   Philox4x32-10: 128-bit counter, 64-bit key -> four 32-bit words
    key         (low half of the seed, high half of the seed)
    counter     c0 = entry // 2           entries numbered row by row: entry = i n + j
                c1 = step // 2            steps from 0
                c2 = trial                global trial number; of VECTORS 0: the frame, 1: its partners (signal/base.py)
                c3 = domain + 256 draw    draw 0: the first word; draw 1: a second one, for laws that need two;
                                          draws 2, 3 and 4, 5: 64 further bits of the first and the second
    word        2 (step mod 2) + entry mod 2 of the four

So a group is two entries by two steps, whatever the block that computes it, and a place has one word a draw. Distinct
places have distinct (counter, word), and Philox is a bijection of counters: the mapping is injective for entries and
steps below 2^33 and trials below 2^32.

A uniform has 32 bits, U = (w + 1/2) / 2^32, unless the word is below 2^16; then 64 further bits f replace the half,
U = (w + f) / 2^32, down to 2^-97. So U has at least 16 significant bits everywhere and tails end near probability
2^-97 (about 6e-30), not 2^-33. Laws that spend the last bit of the word on a sign have 31 bits and reach 2^-96.

Normals: the words of two consecutive steps of one entry make two normals by Box-Muller.

SKETCH (orthogonal/randomised.py) is one set of normals for all trials, numbered column by column: trial 0, steps 0 and 1.

COLLAPSED (samplers/collapsed.py) has one normal an entry and window, not an entry and step: step = place of the window among
the distinct ones in rising order, from 0; T = 1, the last step itself, is always the first. So a buffer changes with the
narrower windows of a run, and never with the wider ones.

Method "scalars" uses another generator, numpy's Philox4x64, its key made of (seed, COLLAPSED, trial): one chi-square a trial
stands for all entries. Its bits are numpy's, a function of seed and trial alone, and share none with the words above.

BANDED (samplers/banded.py) uses numpy's Philox4x64 too, as chi variates are drawn by rejection and take no fixed number of
words. Key: (seed, BANDED, trial). Counter: its two high words are (number, kind): kind 0 is the gradient of step `number`,
kind 1 the momentum buffer of a window above 1, whose float64 bits are `number`; kinds 2 and 3 the same for chi variates.
Normals (0, 1) come row by row, 2 r - 1 a row, chi-squares (2, 3) row by row, 2 a row, from the near end; so a buffer does
not depend on the other windows, on pipelines, or on what is read from it.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.errors import need
from spikesim.kernels.philox import DRAW_SHIFT, MASK, unmasked

LAYOUT_VERSION = 1

NOISE, START, SCALARS, VECTORS, COLLAPSED, BANDED, BOOTSTRAP, SKETCH, PROBE = range(9)
"""Domains: entrywise noise; what precedes step 0 of recursive noise; per-step scalars; signal vectors; other samplers; the
random sketch of orthogonal/randomised.py; orders and signs of a probe (probe/)."""

SMALL_WORD = 1 << 16


def key(seed: int) -> tuple[np.uint64, np.uint64]:
    """The two key words of a seed.

    Raises:
        ValueError: If the seed is not an integer in [0, 2^64).
    """
    need(isinstance(seed, int | np.integer) and not isinstance(seed, bool), "an integer seed", seed=seed)
    need(0 <= seed < 2**64, "0 <= seed < 2**64", seed=seed)
    return np.uint64(int(seed) & 0xFFFFFFFF), np.uint64(int(seed) >> 32)


def words(seed: int, domain: int, trial: int, steps: ArrayLike, entries: ArrayLike, draw: int = 0) -> NDArray[np.uint32]:
    """Random words at given places.

    Args:
        seed: Key of the generator, in [0, 2^64).
        domain: One of this module's domains.
        trial: Global trial number, below 2^32.
        steps: Step numbers, broadcast against entries.
        entries: Entry numbers i n + j.
        draw: Which draw of the place (module docstring).

    Returns:
        uint32, of the broadcast shape.
    """
    steps, entries = np.broadcast_arrays(np.asarray(steps, np.uint64), np.asarray(entries, np.uint64))
    one, last = np.uint64(1), np.uint64(domain) | (np.uint64(draw) << DRAW_SHIFT)
    four = unmasked.py_func(entries >> one, steps >> one, np.uint64(trial), last, *key(seed))  # NumPy's, on whole arrays
    place = ((steps & one) * np.uint64(2) + (entries & one)).astype(np.int64)
    return (np.choose(place, four) & MASK).astype(np.uint32)


def uniforms(seed: int, domain: int, trial: int, steps: ArrayLike, entries: ArrayLike, draw: int = 0) -> NDArray[np.float64]:
    """Uniforms in (0, 1) at given places, with further bits where they are small; draw 0 or 1. See `words`."""
    steps, entries = np.broadcast_arrays(np.asarray(steps, np.int64), np.asarray(entries, np.int64))
    w = words(seed, domain, trial, steps, entries, draw)
    small, fraction = w < SMALL_WORD, np.full(w.shape, 0.5)
    if np.any(small):
        high, low = (words(seed, domain, trial, steps[small], entries[small], 2 + 2 * draw + i) for i in (0, 1))
        fraction[small] = (high + (low + 0.5) * 2.0**-32) * 2.0**-32
    return (w + fraction) * 2.0**-32


def normals(seed: int, domain: int, trial: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Standard normals for set-up work (signal vectors), float64: Box-Muller over steps 0 and 1 of each entry."""
    entries = np.arange(int(np.prod(shape)))
    radius = np.sqrt(-2 * np.log(uniforms(seed, domain, trial, 0, entries)))
    angle = 2 * np.pi * uniforms(seed, domain, trial, 1, entries)
    return (radius * np.cos(angle)).reshape(shape)


def generator(seed: int, domain: int, trial: int = 0, number: int = 0, kind: int = 0) -> np.random.Generator:
    """NumPy's generator, where no place-by-place layout is needed: bootstrap indices, one number for a whole trial.

    number and kind, below 2^64, are the high words of its counter: 2^128 draws each.
    """
    key(seed)
    counter = np.array([0, 0, number, kind], np.uint64)
    return np.random.Generator(np.random.Philox(key=int(seed) + (domain << 64) + (int(trial) << 96), counter=counter))
