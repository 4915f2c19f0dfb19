"""Recorders: gradients as .npy files of shape (K, m, n), float32, while training runs.

A file is whole after every step: the step is written behind the others, and then the count in the header, in place. A process
that is killed in between leaves a step that the header does not count, which readers pass over. A machine that goes down may
lose what came after the last flush() or close(), which wait for the disk; append=True goes on from the last whole step.
"""

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from spikesim.arrays import Array, host
from spikesim.errors import need
from spikesim.recorded.checks import decoded, read_type
from spikesim.recorded.growing import Growing


class Recorder:
    """Matrices by name, each to a file of its own.

        with Recorder("gradients") as recorder:
            for gradient in gradients:
                recorder.add("layer.0", gradient)

    leaves gradients/layer.0.npy, of shape (K, m, n).

    NaN and infinity are recorded as they are, since a run that diverges is one to look at; numbers too large for float32
    become infinite. Letters, digits and "_.-~" stand in a file's name as they are; anything else, and a dot in front, as "%"
    and hexadecimal digits, so that different names have different files.

    Args:
        folder: For the files; made where there is none.
        every: Of so many steps the first is recorded: steps 0, every, 2 every, ...
        names: Those of `step` that are recorded; all where left out.
        fresh: Files that are there already are replaced.
        append: Files that are there already are gone on with.

    Raises:
        ValueError: For a file that is there already, unless it may be replaced or gone on with.
    """

    def __init__(
        self, folder: str | os.PathLike[str], every: int = 1, names: Iterable[str] | None = None, *, fresh: bool = False,
        append: bool = False,
    ) -> None:  # fmt: skip
        need(type(every) is int and every >= 1, "every >= 1", every=every)
        need(not (fresh and append), "fresh or append, not both", fresh=fresh, append=append)
        need(not isinstance(names, str), "a collection of names", names=names)
        self.folder, self.every, self.names = Path(folder), every, None if names is None else tuple(names)
        self._fresh, self._append = fresh, append
        self._files: dict[str, Growing] = {}
        self._calls: dict[str | None, int] = {}
        self._open = True
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in self.names or ():
            self._path(name)

    @property
    def paths(self) -> dict[str, Path]:
        """The file of every name recorded so far."""
        return {name: file.path for name, file in self._files.items()}

    def add(self, name: str, matrix: Array) -> None:
        """Record a matrix (m, n), or pass it over; calls are counted for each name.

        Args:
            name: Of the recording, and so of its file.
            matrix: Shape (m, n), floating numbers: of NumPy, PyTorch or anything that NumPy can read.

        Raises:
            ValueError: For anything but floating numbers (m, n), or another shape than before.
        """
        if self._due(name):
            self._write({name: matrix})

    def step(self, matrices: Mapping[str, Array]) -> None:
        """Record matrices (m, n) of one step of training, or pass them over; all of them or none.

        Args:
            matrices: By name, each as of `add`.

        Raises:
            ValueError: As `add`; and if one of `names` is missing.
        """
        if self._due(None):
            missing = [name for name in self.names or () if name not in matrices]
            need(not missing, "a matrix for every name", missing=missing)
            self._write({name: matrices[name] for name in self.names or matrices})

    def _due(self, name: str | None) -> bool:
        need(self._open, "an open recorder", closed=str(self.folder))
        calls = self._calls.get(name, 0)
        self._calls[name] = calls + 1
        return calls % self.every == 0

    def _write(self, matrices: Mapping[str, Array]) -> None:
        """Look at all, then write all."""
        steps = {name: single(name, matrix) for name, matrix in matrices.items()}
        for name, step in steps.items():
            m, n = step.shape
            if name not in self._files:
                self._files[name] = Growing.opened(self._path(name), (m, n), self._append)
            shape = self._files[name].shape
            need(step.shape == shape, f"matrices of one shape, {shape} as before", shape=step.shape, name=name)
        for name, step in steps.items():
            self._files[name].add(step)

    def _path(self, name: str) -> Path:
        """The file of a name that has none yet, out of the way if it may be replaced."""
        path = self.folder / file_name(name)
        if self._fresh:
            path.unlink(missing_ok=True)  # not cut: who has it mapped keeps it
        hint = "fresh=True replaces it, append=True goes on with it"
        need(self._append or not path.exists(), "a file that is not there yet", hint, file=str(path))
        return path

    def flush(self) -> None:
        """Wait until all is on the disk."""
        for file in self._files.values():
            file.flush()

    def close(self) -> None:
        """Flush, and record no more."""
        self.flush()
        self._open = False

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.close()


def file_name(name: str) -> str:
    """A name as that of a file in a folder: different names, different files."""
    need(isinstance(name, str) and name, "a name", name=name)
    plain = quote(name, safe="")
    return ("%2E" + plain[1:] if plain.startswith(".") else plain) + ".npy"


def single(name: str, matrix: Array) -> NDArray[np.float32]:
    """A matrix as it is recorded, float32 in C order."""
    found = host(matrix)
    need(found.ndim == 2 and found.size, "a matrix (m, n)", shape=found.shape, name=name)
    read_type(found.dtype, name=name)
    return np.ascontiguousarray(decoded(found, np.dtype("<f4")))


class TorchRecorder:
    """Gradients of chosen parameters of a PyTorch module.

        with TorchRecorder(model, "gradients", every=10) as recorder:
            for batch in batches:
                optimizer.zero_grad()
                loss(model, batch).backward()
                recorder.step()
                optimizer.step()

    leaves a file (K, m, n) for each matrix of the model, such as gradients/blocks.0.attn.weight.npy. The gradient is recorded
    as it is when `step` is called: unscale or clip before or after it, as wanted. Files are as of Recorder.

    Args:
        model: A torch.nn.Module, of which only `named_parameters` is asked for.
        folder: For the files.
        parameters: Names; or what tells from (name, parameter) whether to record it; all where left out. Only
            parameters with two axes, and that are trained, are offered and taken.
        every: Of so many calls of `step` the first is recorded.
        flatten: Take parameters with more axes too, as weights of convolutions, (out, in, height, width) as (out, rest).
        fresh: Files that are there already are replaced.
        append: Files that are there already are gone on with.

    Raises:
        ValueError: If a name is not a trained matrix of the model, or nothing is chosen, or a file is there already.
    """

    def __init__(
        self, model: Any, folder: str | os.PathLike[str],
        parameters: Collection[str] | Callable[[str, Any], bool] | None = None, every: int = 1, *, flatten: bool = False,
        fresh: bool = False, append: bool = False,
    ) -> None:  # fmt: skip
        self._parameters = chosen(dict(model.named_parameters()), parameters, flatten)
        need(type(every) is int and every >= 1, "every >= 1", every=every)
        self.every, self._calls = every, 0
        self._recorder = Recorder(folder, names=self._parameters, fresh=fresh, append=append)

    @property
    def paths(self) -> dict[str, Path]:
        """The file of every parameter recorded so far."""
        return self._recorder.paths

    def step(self) -> None:
        """Record the gradients, or pass them over; after backward() and before the optimizer's step.

        Raises:
            ValueError: If a parameter has no gradient.
        """
        calls, self._calls = self._calls, self._calls + 1
        if calls % self.every:
            return
        for name, parameter in self._parameters.items():
            need(
                parameter.grad is not None, "a gradient of every parameter: step() after backward()", name=name, gradient=None
            )
        self._recorder.step({name: _gradient(parameter) for name, parameter in self._parameters.items()})

    def flush(self) -> None:
        """Wait until all is on the disk."""
        self._recorder.flush()

    def close(self) -> None:
        """Flush, and record no more."""
        self._recorder.close()

    def __enter__(self) -> "TorchRecorder":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.close()


def chosen(
    named: Mapping[str, Any], wanted: Collection[str] | Callable[[str, Any], bool] | None, flatten: bool
) -> dict[str, Any]:
    """Parameters to record, by name."""
    need(not isinstance(wanted, str), "a collection of names", parameters=wanted)
    matrices = {k: p for k, p in named.items() if p.requires_grad and (p.ndim == 2 or (flatten and p.ndim > 2))}
    if wanted is None or callable(wanted):
        taken = {k: p for k, p in matrices.items() if wanted is None or wanted(k, p)}
    else:
        for name in wanted:
            shape = tuple(named[name].shape) if name in named else None
            hint = f"there are {', '.join(matrices) or 'none'}" + (
                "" if flatten else "; flatten=True takes more than two axes"
            )
            need(name in matrices, "names of trained matrices", hint, name=name, shape=shape)
        taken = {name: matrices[name] for name in wanted}
    need(taken, "at least one trained matrix", parameters=list(named))
    return taken


def _gradient(parameter: Any) -> NDArray[np.float32]:
    """On the CPU, (m, n)."""
    grad: NDArray[np.float32] = parameter.grad.detach().float().cpu().numpy()
    return grad.reshape(grad.shape[0], -1)
