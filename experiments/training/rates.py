"""Learning rates that are tried: for every pipeline a grid of one ratio and one length with its best inside.

The middle of a pipeline's grid is the rate at which its update has the Frobenius norm that pre-polar's has at `Task.centre`,
both after PILOT gradients at the initial weights, summed over hidden matrices: so a pipeline's scale decides nothing.
"""

import math
from collections.abc import Mapping

import torch

from spikesim.errors import need
from training.optimizer import Hidden
from training.tasks import FRESH, Task, loss

RATIO = 2.0
"""Of neighbouring rates."""
FIRST = range(-2, 3)
"""Places of a grid's first rates, from its middle."""
BESIDE = 2
"""Rates that a grid has on either side of its best."""
MOST = 16
"""Rates of a grid."""
PILOT = 64


def centre(task: Task, pipeline: str, beta: float, seed: int) -> float:
    """Middle of a pipeline's grid, to two digits."""
    sizes = [_size(task, name, beta, seed) for name in ("pre-polar", pipeline)]
    return float(f"{task.centre * sizes[0] / sizes[1]:.2g}")


def _size(task: Task, pipeline: str, beta: float, seed: int) -> float:
    """Frobenius norm of the last of PILOT updates of fixed weights."""
    model, fixed = task.model(seed), task.model(seed)
    weights = list(task.hidden(model).values())
    optimizer = Hidden(weights, pipeline, beta)
    for _, batch in zip(range(PILOT), task.batches(seed, FRESH), strict=False):
        model.load_state_dict(fixed.state_dict())
        model.zero_grad()
        loss(model, batch).backward()
        optimizer.step(1.0)
    moved = zip(weights, task.hidden(fixed).values(), strict=True)
    return math.sqrt(sum(float(torch.sum((w.detach() - start.detach()) ** 2)) for w, start in moved))


def best(losses: Mapping[int, float]) -> int:
    """Place of the smallest loss; one that is not a number is larger than any."""
    return min(losses, key=lambda k: (not math.isfinite(losses[k]), losses[k]))


def wanted(losses: Mapping[int, float], length: int) -> tuple[int, ...]:
    """Places to try next: until the best has BESIDE others on either side, and then until there are `length`.

    Args:
        losses: Place in the grid -> mean loss of the tuning seeds; no place between two is missing.
        length: Rates of the longest grid so far.

    Raises:
        ValueError: If there are MOST rates and the best is still near an end.
    """
    low, high, at = min(losses), max(losses), best(losses)
    short = [end for end, beside in ((low - 1, at - low), (high + 1, high - at)) if beside < BESIDE]
    need(not short or len(losses) < MOST, f"a best rate inside a grid of {MOST}", losses=dict(losses))
    if short or len(losses) >= length:
        return tuple(short)
    return (low - 1 if at - low < high - at else high + 1,)
