"""Compile kernels to PTX without a device: what they are made of, and what ptxas makes of it where it is found.

python tests/cuda/ptx.py MAJOR MINOR [DIR] prints a line of JSON, kernel -> facts, and leaves the texts in DIR if given.
A process of its own: numba's notion of the current device is replaced in it.
"""

import json
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

WINDOWS = 8


def kernels():
    """Name -> (kernel, its arguments' types), of every kernel there is."""
    return gram_kernels() | stream_kernels()


def stream_kernels():
    """kernels/stream_cuda.py's and ema_cuda.py's, of every law, for either type of numbers and WINDOWS averages."""
    from numba import types

    from spikesim.kernels import ema_cuda, stream_cuda
    from spikesim.kernels.fills import FILLS

    i, u, doubles, trials = types.int64, types.uint64, types.float64[::1], types.uint64[::1]
    found = {}
    for number in (types.float32, types.float64):
        sums, rows, one = number[:, :, ::1], number[:, ::1], number[::1]
        for law, (_, single) in FILLS.items():
            factor = types.float32[:, ::1] if single else rows
            signature = (sums, rows, types.float64[:, ::1], one, factor, i, i, trials, u, u, u, doubles, one, one)
            found[f"{law} {number}"] = stream_cuda.kernel_of(law, WINDOWS, str(number)), signature
        found[f"ema {number}"] = ema_cuda._kernel_of(WINDOWS, str(number)), (sums, sums, one)
    return found


def gram_kernels():
    """kernels/gram_cuda.py's, for either type of numbers."""
    from numba import types

    from spikesim.kernels import gram_cuda as source

    nodes, sizes, i, x = types.float64[::1], types.float64[::1], types.int64, types.float64
    found = {}
    for number in (types.float32, types.float64):
        p, cube = number[::1], number[:, :, ::1]
        signatures = {
            "reduced": (cube, p, p, p, p, p, p, p, x), "framed": (p, cube, p, i, i), "turned": (p, p, i, i, i),
            "directions": (p, p, p, p, nodes, nodes, p, p, i, i, i), "pairs": (p, p, p, p, p, i, i, i, i, i),
            "roots": (p, p, p, nodes, nodes, p, i, i, i), "rotated": (p, p, sizes, cube, p),
        }  # fmt: skip
        for name, signature in signatures.items():
            found[f"{name} {number}"] = source.compiled(getattr(source, name)), signature
    return found


def compiled(kernel, signature, capability):
    """PTX of a kernel for a compute capability, such as (9, 0)."""
    from numba import cuda, types
    from numba.cuda import dispatcher

    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=capability)  # functions called ask it
    return cuda.compile_ptx(kernel.py_func, types.void(*signature), device=False, cc=capability)[0]


def facts(text):
    """What a kernel's PTX holds.

    calls: Of functions that were not inlined. local: Bytes of local memory. fused: Multiply-adds. split: Sums and products
    that say how they are rounded, and so are not fused later either. selects: Of 64 bits in innermost loops that multiply
    and add; an index that is looked at for its sign, as numba's arrays do, is one, and each step of numba's range.
    """
    loops = [body for body in innermost(text) if re.search(r"fma\.rn", body)]
    return {
        "calls": len(re.findall(r"\bcall(?:\.uni)?\b", text)),
        "local": sum(int(n) for n in re.findall(r"\.local[^;\n]*\[(\d+)\]", text)),
        "fused": len(re.findall(r"fma\.rn\.f(?:32|64)", text)),
        "split": len(re.findall(r"(?:mul|add|sub)\.rn\.f(?:32|64)", text)),
        "selects": sum(len(re.findall(r"selp\.b64", body)) for body in loops),
    }


def innermost(text):
    """The bodies of loops that hold no label: from a label to a branch back to it."""
    return [body for label, body in re.findall(r"(\$L\w+):((?:(?!\$L\w+:).)*)", text, re.DOTALL)
            if re.search(rf"bra(?:\.uni)?\s+{re.escape(label)};", body)]  # fmt: skip


def assembled(text, capability):
    """Registers, spilled bytes and stack of a kernel by ptxas; nothing where there is no ptxas."""
    package = find_spec("nvidia.cuda_nvcc") if find_spec("nvidia") else None
    tool = Path(package.submodule_search_locations[0], "bin", "ptxas") if package else Path()
    if not tool.is_file():
        return {}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "kernel.ptx")
        source.write_text(text)
        command = [tool, "-v", f"-arch=sm_{capability[0]}{capability[1]}", source, "-o", Path(folder, "kernel.cubin")]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    patterns = {"registers": r"Used (\d+) registers", "spilled": r"(\d+) bytes spill stores", "stack": r"(\d+) bytes stack"}
    return {name: int(re.search(pattern, said)[1]) for name, pattern in patterns.items()}


def main(major, minor, folder=None):
    """Print what every kernel is made of."""
    capability, found = (int(major), int(minor)), {}
    for name, (kernel, signature) in kernels().items():
        text = compiled(kernel, signature, capability)
        found[name] = facts(text) | assembled(text, capability)
        if folder:
            Path(folder, f"{name.replace(' ', '_')}.ptx").write_text(text)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
