"""How functions are compiled that only compiled code calls: without an entry for Python, which saves a seventh of the time.

Called from Python, such a function ends the process: there is nothing to enter. One called from a single place is best
inlined (inline="always"): a function less to compile, another ninth.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from numba import njit

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def inner(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Decorator of a function that only compiled code calls; options: numba's, such as fastmath."""
    return partial(inner, **options) if function is None else njit(function, **OPTIONS, **options)
