"""What a pipeline is made of: stages, each a map of matrices, or of what has been seen of them so far."""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar

from spikesim.arrays import Array, array_namespace

Filters = Callable[[Any], tuple[Any, ...]]
"""The filters that a stage asks for: filters(None) gives those of the windows at hand, one each (stages/filter.py: Bank)."""


@dataclass(frozen=True, repr=False)
class Stage:
    """Base of all stages: equal and hashed by value, printed as it is written.

    Attributes:
        timed: Its output depends on earlier steps; else it is a map of single matrices (`apply`).
        linear: Linear, entry by entry alike: whatever reads an update linearly may as well be read before it.
        orthogonalises: It stands for a polar step.
    """

    timed: ClassVar[bool] = False
    linear: ClassVar[bool] = False
    orthogonalises: ClassVar[bool] = False

    @property
    def pace(self) -> int:
        """How many steps that enter make one that leaves."""
        return 1

    def apply(self, x: Array) -> Array:
        """Of matrices x (..., m, n), for a stage that is not timed.

        Args:
            x: Shape (..., m, n), float32 or float64.
        """
        raise NotImplementedError

    def settling(self, filters: Filters, weight: float, /) -> int:  # noqa: ARG002
        """Outputs until its start-up weighs less than `weight`, in (0, 1).

        Args:
            filters: What maps a Filter stage's `of` to its filters, one for each window.
            weight: Share that counts as nothing, in (0, 1).
        """
        return 0

    def held(self, filters: Filters, /) -> int:  # noqa: ARG002
        """How many matrices it keeps of what enters, for each window, about.

        Args:
            filters: What maps a Filter stage's `of` to its filters, one for each window.
        """
        return 2 * self.timed

    def check(self, shape: tuple[int, int]) -> None:
        """Refuse matrices of a shape (m, n) that it is not for.

        Args:
            shape: (m, n).

        Raises:
            ValueError: If it is not for matrices of this shape.
        """

    def start(self, filters: Filters, /) -> "Running":
        """Itself at the start of a stream, for a stage that is timed.

        Args:
            filters: What maps a Filter stage's `of` to its filters, one for each window.
        """
        raise NotImplementedError

    def entering(self, before: tuple["Stage", ...]) -> tuple["Stage", ...]:
        """The stages up to the matrix that enters it.

        Args:
            before: The stages before this one, in order.
        """
        return before

    def __repr__(self) -> str:
        return written(self)


def written(thing: Any) -> str:
    """A dataclass as one writes it: arguments in order, those left out that are as they would be."""
    texts, named = [], False
    for f in fields(thing):
        value = getattr(thing, f.name)
        usual = f.default_factory() if f.default_factory is not MISSING else f.default
        if usual is not MISSING and value == usual:
            named = True
            continue
        text = value.__name__ if isinstance(value, type) else repr(value)
        texts.append(f"{f.name}={text}" if named else text)
    return f"{type(thing).__name__}({', '.join(texts)})"


class Running:
    """A timed stage amid a stream.

    Attributes:
        window: T of its newest step, (..., W), of a stage that sets its own.
    """

    window: Array = None

    def advance(self, x: Array, every: bool) -> Array | None:
        """Take the next steps.

        Args:
            x: (..., steps, W, m, n).
            every: Whether every output is wanted.

        Returns:
            (..., outputs, W or K, m, n) if wanted; outputs may be fewer than steps.
        """
        raise NotImplementedError

    def last(self) -> Array:
        """The newest output, (..., W or K, m, n)."""
        raise NotImplementedError


class Stepwise(Running):
    """One that takes step after step."""

    def push(self, x: Array) -> bool:
        """Take a step's matrices (..., W, m, n); whether an output belongs to it."""
        raise NotImplementedError

    def advance(self, x: Array, every: bool) -> Array | None:
        """See `Running.advance`."""
        xp, out = array_namespace(x), []
        for s in range(x.shape[-4]):
            if self.push(x[..., s, :, :, :]) and every:
                out.append(self.last())
        if not every:
            return None
        return xp.stack(out, axis=-4) if out else x[..., :0, :, :, :]
