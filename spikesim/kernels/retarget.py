"""The same Python functions for another target: compiled for the CPU elsewhere, here with some names exchanged."""

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any


def retargeted(function: Any, names: Mapping[str, Any], finish: Callable[[Any], Any], done: dict[Any, Any]) -> Any:
    """A function, and every compiled function it calls, with other things behind some of its global names.

    Args:
        function: One of numba's dispatchers, or plain.
        names: Global name -> what it stands for instead.
        finish: What each of the new functions goes through, such as cuda.jit(device=True).
        done: Functions that are ready, by what they were made of; extended.
    """
    if function not in done:
        source = getattr(function, "py_func", function)
        own = {name: source.__globals__[name] for name in source.__code__.co_names if name in source.__globals__}
        called = {n: retargeted(f, names, finish, done) for n, f in own.items() if hasattr(f, "py_func") and n not in names}
        space = {**source.__globals__, **called, **{n: x for n, x in names.items() if n in own}}
        made = FunctionType(source.__code__, space, source.__name__, source.__defaults__, source.__closure__)
        done[function] = finish(made)
    return done[function]
