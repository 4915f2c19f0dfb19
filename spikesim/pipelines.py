"""Pipelines: filters over time and polar steps, composed in any order (theory.md, Notation).

    pre-polar   = Filter -> Polar        post-polar   = Polar -> Filter
    polar-only  = Polar                  re-polarised = Polar -> Filter -> Polar

Stages are listed in the order in which they are applied.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from spikesim.arrays import Array, array_namespace
from spikesim.cascade import Cascade, Stages
from spikesim.errors import need
from spikesim.stages.base import Stage
from spikesim.stages.filter import Bank, Filter
from spikesim.stages.named import STAGES
from spikesim.stages.polar import Polar, Read
from spikesim.stages.text import ARROW, split, stages_from

THEIRS: dict[str, Stages] = {
    "pre-polar": (Filter(), Polar()),
    "post-polar": (Polar(), Filter()),
    "polar-only": (Polar(),),
    "re-polarised": (Polar(), Filter(), Polar()),
}
PIPELINES = tuple(THEIRS)
"""Names of the four pipelines of the theory, which no others may take."""


@dataclass(frozen=True)
class Pipeline:
    """Stages in order of application, and the text that results carry.

    Args:
        stages: Of spikesim.stages, such as Filter() and Polar(), at least one.
        name: Text of the `pipeline` coordinate; the stages themselves where left out.

    Raises:
        ValueError: If there is no stage, or something else among them, or the name is no text, or one of PIPELINES for
            other stages than theirs.

    Example:
        >>> Pipeline.from_text("clipped = Clip(3.0) -> Filter() -> Polar()").text
        'Clip(3.0) -> Filter() -> Polar()'
    """

    stages: Stages
    name: str = field(default="")

    def __post_init__(self) -> None:
        stages = tuple(self.stages) if isinstance(self.stages, Iterable) else (self.stages,)
        good = stages and all(isinstance(s, Stage) and not isinstance(s, Read) for s in stages)
        need(good, "stages such as Filter() and Polar()", stages=stages)
        need(isinstance(self.name, str), "name: a text", name=self.name)
        object.__setattr__(self, "stages", stages)
        object.__setattr__(self, "name", self.name or self.text)
        own = THEIRS.get(self.name, stages) == stages
        need(own, f"a name other than {PIPELINES} for other stages than theirs", pipeline=f"{self.name} = {self.text}")

    @classmethod
    def from_text(cls, text: str) -> "Pipeline":
        """The pipeline that a text describes: "pre-polar", "Filter() -> Polar()", or "name = Filter() -> Polar()".

        Args:
            text: A name of PIPELINES; or stages in order of application, with " -> " between them, with or without a name
                of your own and " = " before them.

        Returns:
            The pipeline, whose `text` reads as the stages again.

        Raises:
            ValueError: If it does not, with the part that is wrong.
        """
        if text in NAMED:
            return NAMED[text]
        name, stages = split(text)
        return cls(stages_from(stages), name)

    @property
    def text(self) -> str:
        """The stages as text, which `from_text` reads."""
        return ARROW.join(map(repr, self.stages))

    def __str__(self) -> str:
        return self.name

    @property
    def _last_polar(self) -> int | None:
        """Where its last polar step is, or what stands for one."""
        return max((i for i, stage in enumerate(self.stages) if stage.orthogonalises), default=None)

    @property
    def entering(self) -> Stages:
        """The stages up to the matrix that is measured: the one that enters a last polar step, or else the last."""
        i = self._last_polar
        if i is None or any(stage.timed for stage in self.stages[i + 1 :]):
            return self.stages
        return self.stages[i].entering(self.stages[:i])

    @property
    def read(self) -> Stages | None:
        """Stages whose last output is o_k of this one's: its last polar step is read at once. None if no filter follows."""
        i = self._last_polar
        if i is None or not isinstance(self.stages[i], Polar) or i == len(self.stages) - 1:
            return None
        after = self.stages[i + 1 :]
        return (*self.stages[: i + 1], Read(), *after) if all(stage.linear for stage in after) else None

    @property
    def polarised(self) -> Stages | None:
        """The stages up to and with its last polar step; None without one."""
        return None if self._last_polar is None else self.stages[: self._last_polar + 1]

    def truncated(self, rank: int) -> "Pipeline | None":
        """The same with O_r in place of its last polar step (theory.md, alignment_truncated); None where that is none.

        Args:
            rank: r >= 1.

        Raises:
            ValueError: If the rank is below 1.
        """
        i = self._last_polar
        if i is None or not isinstance(self.stages[i], Polar):
            return None
        return replace(self, stages=(*self.stages[:i], Polar(rank), *self.stages[i + 1 :]), name=f"{self.name}, rank {rank}")

    @property
    def pace(self) -> int:
        """Steps of the stream that are one of its own: those of its workers (stages/workers.py)."""
        out = 1
        for stage in self.stages:
            out *= stage.pace
        return out


NAMED = {name: Pipeline(stages, name) for name, stages in THEIRS.items()}
PRE_POLAR, POST_POLAR, POLAR_ONLY, RE_POLARISED = NAMED.values()


def pipelines_from(items: Iterable[str | Pipeline]) -> tuple[Pipeline, ...]:
    """Pipelines from names, texts (`Pipeline.from_text`) or themselves.

    Raises:
        ValueError: If there is none, a name is unknown, a text describes none, or two have the same name.
    """
    items = (items,) if isinstance(items, str | Pipeline) or not isinstance(items, Iterable) else tuple(items)
    out = tuple(map(_pipeline, items))
    names = [str(p) for p in out]
    need(len(names) > 0 and len(set(names)) == len(names), "one or more distinct pipelines", pipelines=names)
    return out


def _pipeline(item: str | Pipeline) -> Pipeline:
    if isinstance(item, str) and ("(" in item or ARROW.strip() in item or split(item)[1].strip() in STAGES):
        return Pipeline.from_text(item)
    known = isinstance(item, Pipeline) or (isinstance(item, str) and item in NAMED)
    need(
        known,
        f"pipelines in {PIPELINES}, texts such as 'Clip(3.0) -> Filter() -> Polar()', or Pipeline objects",
        pipeline=item,
    )
    return item if isinstance(item, Pipeline) else NAMED[item]


def last_update(pipeline: Pipeline | str, gradients: Array, window: float) -> Array:
    """The last update A_t of one pipeline on a given stream.

    Args:
        pipeline: What to run, or its text.
        gradients: Shape (..., steps, m, n), in order of time; finite.
        window: T = 1/(1 - beta) >= 1 of its filter, from zero.

    Returns:
        Shape (..., m, n), of the gradients' type.

    Raises:
        ValueError: If the gradients are of another shape or type or not finite, the window is below 1, the pipeline's text
            is no pipeline, or the steps are no multiple of its workers.

    Example:
        >>> import numpy as np
        >>> last_update("Polar()", np.full((1, 2, 1), 3.0), window=1).round(3).tolist()
        [[0.707], [0.707]]
    """
    (pipeline,) = pipelines_from([pipeline])
    need(hasattr(gradients, "dtype"), "an array of gradients", gradients=type(gradients).__name__)
    xp = array_namespace(gradients)
    good = gradients.ndim >= 3 and min(gradients.shape[-3:]) >= 1
    need(good, "gradients.shape == (..., steps, m, n), steps >= 1", shape=tuple(gradients.shape))
    need(gradients.dtype in (xp.float32, xp.float64), "gradients of float32 or float64", dtype=str(gradients.dtype))
    need(bool(xp.all(xp.isfinite(gradients))), "finite gradients", gradients="NaN or infinity")
    whole = gradients.shape[-3] % pipeline.pace == 0
    need(whole, f"steps: a multiple of the workers' {pipeline.pace}", steps=gradients.shape[-3])
    cascade = Cascade([pipeline.stages], Bank.made((window,)))
    cascade.advance(gradients)
    return cascade.last(pipeline.stages)[..., 0, :, :]
