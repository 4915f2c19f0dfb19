"""The public surface is documented: what each argument is, what comes back, what is raised, and where it is from.

Static: a docstring must have an Args entry for every parameter, Returns (or a first line that says what it is), and Raises
where the function, or one that it calls by name in its own module or among the checks of arguments, calls `need` or raises.
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

NOTED = r"^(Args|Returns|Raises|Attributes|Warns|Source|Yields):"
DEEP = 3
"""Calls that are followed."""
SHORTHAND = re.compile(r"(?:Arguments(?: and what is raised)?:? as in|Arguments and errors: as in) `?([\w.]+)`?")


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


SURFACE = surface()
METHODS = {
    f"{name}.{key}": value.__func__ if isinstance(value, classmethod) else value
    for name, cls in SURFACE.items()
    if inspect.isclass(cls)
    for key, value in vars(cls).items()
    if not key.startswith("_") and (inspect.isfunction(value) or isinstance(value, classmethod))
}


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


def lacking(name, value):
    """What a docstring does not say."""
    doc = sections(value.__doc__)
    shared = SHORTHAND.search(value.__doc__ or "")
    told = doc.get("Args", "") + doc.get("Attributes", "")
    if shared:
        told += sections(neighbour(value, shared[1]).__doc__).get("Args", "")
    out = [f"Args {p}" for p in parameters(value) if not re.search(rf"^\s*\**{p}:", told, re.MULTILINE)]
    if raises(value) and "Raises" not in doc and not (shared and "raised" in shared[0]):
        out.append("Raises")
    return out


def neighbour(value, name):
    module = sys.modules[value.__module__]
    for part in name.split("."):
        module = getattr(module, part)
    return module


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


if __name__ == "__main__":
    for name, value in {**SURFACE, **METHODS}.items():
        print(name, lacking(name, value)) if lacking(name, value) else None
