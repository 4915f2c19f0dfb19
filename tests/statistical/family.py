"""The family-wise error of one module of Monte-Carlo tests (Bonferroni)."""

import numpy as np


class Family:
    """P-values of which, if everything is as it should be, one falls below `level` with probability at most `error`.

    Args:
        error: Family-wise error.
        size: How many p-values the positive tests of the module look at, all together.
    """

    def __init__(self, error, size):
        self.size, self.level, self.seen = size, error / size, 0

    def hold(self, **p_values):
        """Every p-value must stay above the level."""
        p = {f"{name}[{i}]": x for name, values in p_values.items() for i, x in enumerate(np.ravel(values))}
        self.seen += len(p)
        assert self.seen <= self.size, f"the family holds {self.size} p-values, not {self.seen}"
        low = {name: x for name, x in p.items() if not x > self.level}
        assert not low, f"p-values below {self.level:.1e}: {low}"

    def rejects(self, p_values):
        """Whether a negative control is seen at the same level."""
        return bool(np.min(p_values) < self.level)
