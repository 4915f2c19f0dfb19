"""A GPU held against the CPU, against torch and CuPy on the same GPU, and against what it could do at most.

python experiments/gpu.py [--quick] [--figures DIR]     # on a machine with a GPU; `make gpu` sets one up

Writes gpu.json with every repeat, draws gpu.png and .pdf, and puts the table into README.md, all in --figures. Exit code 1
where a result is not as close to the CPU's as stated, 2 where there is no GPU.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import gpu_device, gpu_figure, gpu_measure

from spikesim import benchmark


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few short repeats")
    parser.add_argument("--figures", type=Path, default=Path("figures"), help="folder to write into")
    options = parser.parse_args(arguments)
    try:
        gpu_device.device()
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        options.figures.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=options.figures).close()  # before anything is measured
    except OSError as error:
        print(f"need a folder to write into, got --figures {options.figures}: {error}", file=sys.stderr)
        return 2
    results = gpu_measure.measured(options.quick)
    (options.figures / "gpu.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    gpu_figure.draw(results, options.figures)
    benchmark.update_page(options.figures)
    print(benchmark.gpu_section(options.figures))
    return 0 if results["verification"]["held"] else 1


if __name__ == "__main__":
    sys.exit(main())
