"""Real training, and what is recorded of it: python -m training.run, or `make training`.

Writes records to experiments/data/training (results/quick/training of a quick run), and recorded gradients to
results/training/gradients, of which a few go to experiments/data/gradients.
"""

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from training import losses, probes, quadratic, recordings
from training.stage import Context, cores, one_thread
from training.tasks import QUICK, TASKS

STAGES: dict[str, Callable[[Context], None]] = {
    "loss": losses.run,
    "gradients": recordings.run,
    "probes": probes.run,
    "quadratic": lambda context: quadratic.run(context.quick, context.records / "quadratic.json"),
}
"""In order: a later one may read what an earlier one wrote."""
FULL = Path("experiments/data/training"), Path("results/training/gradients")
SMALL = Path("results/quick/training"), Path("results/quick/training/gradients")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small models, few seeds: a minute or two")
    parser.add_argument("--only", action="append", choices=list(STAGES), help="this stage alone; may be given again")
    options = parser.parse_args()
    records, gradients = SMALL if options.quick else FULL
    with ProcessPoolExecutor(cores(), mp_context=get_context("spawn"), initializer=one_thread) as pool:
        context = Context(QUICK if options.quick else TASKS, options.quick, pool, records, gradients)
        one_thread()
        for name in options.only or STAGES:
            start = time.perf_counter()
            STAGES[name](context)
            context.log(f"stage {name}: {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
