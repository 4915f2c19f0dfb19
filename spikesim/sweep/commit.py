"""A file that is whole under its name or not there: the bytes, fsync, rename, fsync of the folder."""

import os
import uuid
from pathlib import Path


def commit(path: Path, content: bytes) -> None:
    """Bytes to a temporary file, fsync, rename, fsync of the folder: whole under its name or not there."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")  # no two processes of any two machines share it
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)  # that of a full disk has none
        raise
    finally:
        temporary.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """The folder's own entries to disk, where the system lets folders be opened."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
