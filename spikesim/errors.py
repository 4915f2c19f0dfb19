"""One form for every complaint: ``need <condition>, got <name>=<value>``."""

import os
from pathlib import Path

LONGEST = 600
"""Characters of a value that are shown."""


def need(holds: object, condition: str, hint: str = "", /, **got: object) -> None:
    """Raise unless a condition on the input holds.

    Args:
        holds: The condition's truth.
        condition: The condition in words or symbols, as it follows "need".
        hint: What to do about it, where that is not obvious.
        **got: The offending values by name.

    Raises:
        ValueError: If ``holds`` is false.
    """
    if holds:
        return
    values = ", ".join(f"{name}={shown(value)}" for name, value in got.items())
    raise ValueError(f"need {condition}, got {values}" + (f"; {hint}" if hint else ""))


def shown(value: object) -> str:
    """A value as it is written in Python; of a long one, its beginning and its end."""
    return shortened(repr(value))


def shortened(text: str) -> str:
    """The text; of a long one, its beginning and its end."""
    left_out = len(text) - LONGEST
    return text if left_out <= 0 else f"{text[: LONGEST // 2]}... ({left_out} characters) ...{text[-LONGEST // 2 :]}"


def refused(error: OSError) -> str:
    """What the system's refusal of a path asks for: a file, a folder, one that is there, or else in the system's words."""
    name, words = error.filename, error.strerror
    if isinstance(name, str) and error.errno is not None and words == os.strerror(error.errno):
        path = Path(name)
        if isinstance(error, IsADirectoryError):
            return f"need a file, got folder={shown(name)}"
        if isinstance(error, FileNotFoundError):
            if path.parent.is_dir():
                return f"need a file that is there, got file={shown(name)}"
            return f"need a folder that is there, got folder={shown(str(path.parent))}"
        if isinstance(error, FileExistsError | NotADirectoryError):
            for part in (*reversed(path.parents), path):
                if part.is_file():
                    return f"need a folder, got file={shown(str(part))}"
    return f"need a usable file or folder, got {name!r}: {words or error}"
