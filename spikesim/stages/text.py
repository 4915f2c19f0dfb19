"""Pipelines as text: "Clip(3.0) -> Filter(Nesterov) -> Polar()", in the order in which stages are applied.

A stage is written as in Python, with literal arguments; its parentheses may be left out where it has none. A filter in a
stage is a class (Nesterov: of the window at hand), a class with its other arguments (EMA(start='first'): the same) or
one with its window (EMA(10.0)). Nothing is evaluated but names of stages and filters, numbers, strings and tuples.
"""

import ast
from dataclasses import fields
from typing import Any

from spikesim.errors import need
from spikesim.filters import FILTERS, Family, LinearFilter
from spikesim.stages import named
from spikesim.stages.base import Stage

ARROW = " -> "


def split(text: str) -> tuple[str, str]:
    """(name, stages) of "name = stages", the name empty where there is none."""
    before, equals, after = text.partition(" = ")
    return (before.strip(), after) if equals and "(" not in before and "->" not in before else ("", text)


def stages_from(text: str) -> tuple[Stage, ...]:
    """Stages of a text.

    Raises:
        ValueError: If a part of it is none.
    """
    return tuple(_stage(part.strip()) for part in text.split("->"))


def _stage(text: str) -> Stage:
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    need(tree is not None and text, "stages such as 'Clip(3.0) -> Filter() -> Polar()'", stage=text)
    made = _value(tree, text)
    made = made() if isinstance(made, type) and issubclass(made, Stage) and not _needs(made) else made
    need(isinstance(made, Stage), f"stages in {tuple(named.STAGES)}, with their arguments", stage=text)
    return made


def _needs(law: type) -> bool:
    """Whether it has an argument without a default (MISSING for both)."""
    return any(f.default is f.default_factory for f in fields(law))


def _value(node: Any, text: str) -> Any:
    """What a part of the text stands for."""
    if isinstance(node, ast.Name):
        known = {**named.STAGES, **FILTERS}
        need(node.id in known, f"names in {tuple(known)}", **{f"in {text!r}": node.id})
        return known[node.id]
    if isinstance(node, ast.Call):
        return _called(node, text)
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_value(item, text) for item in node.elts)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise ValueError(f"need names, numbers, strings and tuples alone, got stage={text!r}") from None


def _called(node: ast.Call, text: str) -> Any:
    law: Any = _value(node.func, text) if isinstance(node.func, ast.Name) else None
    need(isinstance(law, type) and all(k.arg for k in node.keywords), "a stage or filter and its arguments", stage=text)
    given = [_value(a, text) for a in node.args]
    words = {str(k.arg): _value(k.value, text) for k in node.keywords}
    names = [f.name for f in fields(law)]
    fits = len(given) <= len(names) and set(words) <= set(names[len(given) :])
    need(fits, f"arguments of {law.__name__} out of {tuple(names)}", stage=text)
    words = dict(zip(names, given, strict=False)) | words
    if law.__name__ in FILTERS and "window" in names and "window" not in words:
        return Family(law, **words)
    missing = [f.name for f in fields(law) if f.name not in words and f.default is f.default_factory]
    need(not missing, f"{', '.join(missing)} of {law.__name__}", stage=text)
    return law(**words)


def family_from(text: str) -> Any:
    """What maps a window to a filter, from its text: "Nesterov", or "EMA(start='first')".

    Raises:
        ValueError: If it does not describe one.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    need(tree is not None, f"filter: one of {tuple(FILTERS)}, with arguments other than its window", filter=text)
    made = _value(tree, text)
    if isinstance(made, LinearFilter):  # a filter that has no window, or one that is given: the same at every window
        made = Family(type(made), **{f.name: getattr(made, f.name) for f in fields(made)})  # type: ignore[arg-type]
    made = Family(made) if isinstance(made, type) and issubclass(made, LinearFilter) else made
    need(isinstance(made, Family), f"filter: one of {tuple(FILTERS)}, with arguments other than its window", filter=text)
    return made
