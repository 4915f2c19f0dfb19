"""How often mean +- 1.96 standard errors covers the truth when the data say when to stop.

python -m benchmarks.stopping_coverage prints the table of docs/sweeps.md: 4,000 repeats a case, seeds fixed; a share's own
standard error is below 0.7 %. `needed` is how many trials would have the wanted standard error if the law were known.
"""

import math

import numpy as np
from numpy.typing import NDArray

from spikesim.sweep.until import Until, last_look

REPEATS = 4000
CASES = ((10, 40), (20, 80), (50, 200), (100, 20), (100, 150), (100, 400), (100, 1000), (200, 2000))
LAWS = {  # mean, standard deviation
    "normal": (0.0, 1.0),
    "bounded, skewed (Beta(1/2, 5))": (0.5 / 5.5, (2.5 / (5.5**2 * 6.5)) ** 0.5),
    "exponential": (1.0, 1.0),
    "log-normal": (math.e**0.5, ((math.e - 1) * math.e) ** 0.5),
}


def drawn(law: str, random: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Trials of a law."""
    if law == "normal":
        return random.standard_normal(count)
    if law == "exponential":
        return random.exponential(size=count)
    return random.lognormal(size=count) if law == "log-normal" else random.beta(0.5, 5, count)


def coverage(law: str, every: int, needed: int) -> float:
    """Share of repeats that cover."""
    mean, deviation = LAWS[law]
    until = Until(mean="alignment", standard_error=deviation / needed**0.5, every=every)
    random, hits, most = np.random.default_rng([every, needed]), 0, 8 * max(needed, every)
    for _ in range(REPEATS):
        x = drawn(law, random, most)
        count, _ = last_look(until, most, lambda look: x[look.start : look.stop, None])  # noqa: B023
        seen = x[:count]
        hits += bool(abs(seen.mean() - mean) <= 1.959964 * seen.std(ddof=1) / count**0.5)
    return hits / REPEATS


def main() -> None:
    """Command line."""
    print("| every | needed | " + " | ".join(LAWS) + " |\n" + "|---" * (2 + len(LAWS)) + "|")
    for every, needed in CASES:
        shares = " | ".join(f"{100 * coverage(law, every, needed):.1f} %" for law in LAWS)
        print(f"| {every} | {needed} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
