"""Kernels are made when they are first asked for, and once, however many threads ask."""

from collections.abc import Callable
from functools import cache, wraps
from threading import Lock
from typing import Any


def once(make: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: as functools.cache, and threads that ask at once get one and the same."""
    made, lock = cache(make), Lock()

    @wraps(make)
    def get(*arguments: Any) -> Any:
        with lock:
            return made(*arguments)

    return get
