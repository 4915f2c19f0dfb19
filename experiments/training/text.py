"""Text that every machine with this Python has: the sources of its standard library, one character a token."""

import hashlib
import platform
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CHARACTERS = "\n" + "".join(map(chr, range(32, 127)))
VOCABULARY = len(CHARACTERS) + 1
"""Tokens: the characters of ASCII that print, the end of a line, and one for all others."""
HELD_OUT = 10
"""Every tenth file, from the first on, is for validation."""


@dataclass(frozen=True)
class Text:
    """Tokens (characters,) uint8 of the files for training and for validation, and what they were made of."""

    training: NDArray[np.uint8]
    validation: NDArray[np.uint8]
    source: dict[str, Any]


@cache
def text() -> Text:
    """The top-level .py files of the standard library, by name; generated and foreign files are no part of it."""
    folder = Path(sysconfig.get_path("stdlib"))
    files = sorted(p for p in folder.glob("*.py") if p.stem in sys.stdlib_module_names)
    contents = [p.read_bytes() for p in files]
    source = {
        "files": len(files), "bytes": sum(map(len, contents)), "sha256": hashlib.sha256(b"".join(contents)).hexdigest(),
        "python": platform.python_version(),
    }  # fmt: skip
    held = b"".join(contents[::HELD_OUT])
    rest = b"".join(c for i, c in enumerate(contents) if i % HELD_OUT)
    return Text(tokens(rest), tokens(held), source)


def tokens(characters: bytes) -> NDArray[np.uint8]:
    """Place of each byte in CHARACTERS, the last token for those that are not there; (characters,)."""
    table = np.full(256, VOCABULARY - 1, np.uint8)
    table[list(CHARACTERS.encode())] = np.arange(len(CHARACTERS))
    return table[np.frombuffer(characters, np.uint8)]
