"""A machine that runs PTX without a GPU: what the compiler for GPUs really made of a kernel, thread by thread.

numba's simulator runs Python's code and so shows nothing of how numba types it for a GPU, what is promoted, what is fused,
or what its library's logarithm is; the text of PTX does. Each stretch of it between labels is turned to a Python function
of the registers. Known are the instructions that this project's kernels compile to and their near relatives; any other
raises with its text, as do functions, shared and local memory, barriers.

A last compiler, ptxas, may still fuse a product `mul.f32` and a sum `add.f32` that do not say how they are rounded: integers
here are a GPU's bit for bit, floats to units in the last place.

Source: NVIDIA, Parallel Thread Execution ISA, version 8.8.
"""

import re
from dataclasses import dataclass
from itertools import product

from ptx_python import Translator

LIMIT = 10**7


@dataclass(frozen=True)
class Program:
    """An entry: its parameters' names in order and their types, and its code, functions of (registers, memory)."""

    parameters: tuple[tuple[str, str], ...]
    blocks: tuple

    def run(self, arguments, memory, grid, threads):
        """All threads of a grid (blocks, rows), one after another; arguments are integers or floats."""
        given = {name: x for (name, _), x in zip(self.parameters, arguments, strict=True)}
        size = {"%ntid.x": threads, "%ntid.y": 1, "%nctaid.x": grid[0], "%nctaid.y": grid[1], "%tid.y": 0}
        for y, x, thread in product(range(grid[1]), range(grid[0]), range(threads)):
            self._thread({**given, **size, "%ctaid.x": x, "%ctaid.y": y, "%tid.x": thread}, memory)

    def _thread(self, registers, memory):
        at = 0
        for _ in range(LIMIT):
            at = self.blocks[at](registers, memory)
            if at is None:
                return
        raise RuntimeError(f"a thread ran {LIMIT} stretches of code")


def program(text):
    """The one entry of a PTX text."""
    if len(re.findall(r"\.entry\b", text)) != 1 or re.search(r"\.func\b", text):
        raise NotImplementedError("other than one entry")
    head, body = re.search(r"\.entry\s+\w+\((.*?)\)[^{]*(\{.*)", re.sub(r"//[^\n]*", "", text), re.DOTALL).groups()
    parameters = tuple((name, kind) for kind, name in re.findall(r"\.param\s+\.(\w+)\s+(\w+)", head))
    stretches, labels, kinds = [[]], {}, {"%p": "pred"}
    for line in filter(None, map(str.strip, body.splitlines())):
        if line.endswith(":"):
            labels[line[:-1]] = len(stretches)
            stretches.append([])
        elif declared := re.match(r"\.reg\s+\.(\w+)\s+(%[a-z]+)", line):
            kinds[declared[2]] = declared[1]
        elif line not in ("{", "}") and not line.startswith(".pragma"):
            stretches[-1].append(line)
    translator, last = Translator(labels, kinds), len(stretches) - 1
    return Program(parameters, tuple(translator.function(lines, i, last) for i, lines in enumerate(stretches)))
