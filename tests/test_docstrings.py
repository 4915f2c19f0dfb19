"""The public surface is documented: what each argument is, what comes back, what is raised, and where it is from.

Static: an Args entry for every parameter, and Raises where the function, or one that it calls by name, calls `need` or
raises. Formulas of the theory also need Returns and Source. A method that a base class has is documented there.
"""

import ast
import dataclasses
import doctest
import importlib
import inspect
import pkgutil
import re
import sys
import textwrap
import types

import pytest

import spikesim as ss
from spikesim.errors import need
from spikesim.filters.base import LinearFilter
from spikesim.noise.base import Noise
from spikesim.signal.base import Signal
from spikesim.stages.base import Stage

NOTED = r"^(Args|Returns|Raises|Attributes|Warns|Example|Source):"
UNSOURCED = {
    "theory.post_polar.Buffer": "a tuple of numbers that `buffer` gives",
    "theory.post_polar.ema_nodes": "quadrature, no formula of the page",
}
DEEP = 2
"""Calls that are followed."""
SHORTHAND = re.compile(r"Arguments(?: and what is raised:)? as in `(\w+)`")
"""What stands for the Args, and for what is raised, of a neighbour."""


def public(module):
    """Functions and classes that a module defines and that are public."""
    for name, value in vars(module).items():
        here = getattr(value, "__module__", None) == module.__name__
        if here and not name.startswith("_") and (inspect.isfunction(value) or inspect.isclass(value)):
            yield name, value


def theory():
    for found in pkgutil.iter_modules(ss.theory.__path__):
        if found.name != "arguments":  # the checks of arguments, not public
            module = importlib.import_module(f"spikesim.theory.{found.name}")
            yield from ((f"theory.{found.name}.{name}", value) for name, value in public(module))


def surface():
    """(name, object) of all that is public, classes with their public methods."""
    top = [(name, getattr(ss, name)) for name in ss.__all__]
    top = [(name, value) for name, value in top if callable(value)]
    stages = [(f"stages.{name}", getattr(ss.stages, name)) for name in ss.stages.__all__]
    return dict([*top, *stages, *theory()])


def methods(classes):
    """Public methods, but for those that a base class has: what they take and raise is said there."""
    for name, cls in classes.items():
        for key, value in vars(cls).items():
            function = value.__func__ if isinstance(value, classmethod) else value
            inherited = any(hasattr(base, key) for base in cls.__mro__[1:])
            if inspect.isfunction(function) and not key.startswith("_") and not inherited:
                yield f"{name}.{key}", function


SURFACE = surface()
BASES = {cls.__name__: cls for cls in (LinearFilter, Noise, Signal, Stage)}
CLASSES = {name: value for name, value in SURFACE.items() if inspect.isclass(value)}
METHODS = dict(methods(BASES | CLASSES))


def sections(doc):
    """Section name to text; "" is what stands before the first."""
    found, name = {"": ""}, ""
    for line in inspect.cleandoc(doc or "").splitlines():
        said = re.match(NOTED, line)
        if said:
            name, line = said[1], line.removeprefix(said[0])
        found[name] = found.get(name, "") + line + "\n"
    return found


def parameters(value):
    if dataclasses.is_dataclass(value):
        return [f.name for f in dataclasses.fields(value) if f.init]
    called = value.__init__ if inspect.isclass(value) else value
    names = [n for n in inspect.signature(called).parameters if n not in ("self", "cls")]
    return [] if inspect.isclass(value) and called is object.__init__ else [n for n in names if not n.startswith("_")]


def lacking(value):
    """What a docstring does not say."""
    doc = sections(value.__doc__)
    shared = SHORTHAND.search(value.__doc__ or "")
    told = doc.get("Args", "") + doc.get("Attributes", "")
    if shared:
        told += sections(getattr(sys.modules[value.__module__], shared[1]).__doc__).get("Args", "")
    out = [f"Args {p}" for p in parameters(value) if not re.search(rf"^\s*\**{p}:", told, re.MULTILINE)]
    if raises(value) and "Raises" not in doc and not (shared and "raised" in shared[0]):
        out.append("Raises")
    return out


def body(value):
    """What runs when a function is called, or a class."""
    if not inspect.isclass(value):
        return inspect.unwrap(value)
    return getattr(value, "__post_init__" if dataclasses.is_dataclass(value) else "__init__", None)


def raises(value, seen=()):
    """Whether a function, or one of this package that it calls by name, calls need or raises."""
    function = body(value)
    if function in seen or not isinstance(function, types.FunctionType) or len(seen) > DEEP:
        return False
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Raise) and "NotImplemented" not in ast.dump(node):
            return True
        called = named(node.func, function.__globals__) if isinstance(node, ast.Call) else None
        if called is need:
            return True
        if getattr(called, "__module__", "").startswith("spikesim") and raises(called, (*seen, function)):
            return True
    return False


def named(node, names):
    """What `name` or `module.name` is, or None."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(named(node.value, names), node.attr, None)
    return None


@pytest.mark.parametrize("name", [*SURFACE, *METHODS])
def test_arguments_and_errors_are_said(name):
    assert lacking({**SURFACE, **METHODS}[name]) == []


@pytest.mark.parametrize("name", [n for n in SURFACE if n.startswith("theory.")])
def test_a_formula_says_what_comes_back_and_where_it_is_from(name):
    value, doc = SURFACE[name], sections(SURFACE[name].__doc__)
    assert inspect.isclass(value) or "Returns" in doc
    assert re.search(r"theory\.md", doc.get("Source", "")) or name in UNSOURCED


EXAMPLES = [found for value in SURFACE.values() for found in doctest.DocTestFinder().find(value) if found.examples]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_examples_run(example):
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example).failed == 0


def test_what_is_looked_for_is_found():
    def silent(shape, *, sigma):
        """Something.

        Args:
            shape: (m, n).
        """
        need(shape, "a shape")
        return sigma

    assert lacking(silent) == ["Args sigma", "Raises"]
    assert len(EXAMPLES) > 5
