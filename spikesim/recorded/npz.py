"""The .npz format: a zip archive of .npy files.

An entry that np.savez stored is memory-mapped where it lies. One that np.savez_compressed packed is unpacked, to memory or
to a temporary file, if what it claims to hold is within a limit: a small file can claim any size, and unpack to it.
Check sums are held against what is unpacked, and not against what is mapped, which is not read before it is asked for.
"""

import os
import struct
import zipfile
from pathlib import Path
from typing import IO, Any

from numpy.typing import NDArray

from spikesim.errors import need
from spikesim.recorded.checks import need_stream, whole
from spikesim.recorded.entries import chosen
from spikesim.recorded.npy import Layout, header
from spikesim.recorded.spool import Spool

SUFFIX = ".npy"
PIECE = 1 << 18
LOCAL = struct.Struct("<4s22xHH")
"""Before an entry's bytes: signature, ..., bytes of its name and of extra fields, which follow."""
ENCRYPTED = 1


def opened_npz(path: Path, name: str | None, memory: int, unpacked: int) -> tuple[NDArray[Any], str]:
    """The stream in an entry of a .npz file, and the entry's name.

    Args:
        path: The file.
        name: The entry's; the only one with three axes where left out.
        memory: Bytes of a packed entry that are held in memory; more goes to a temporary file.
        unpacked: Bytes that a packed entry may unpack to.

    Raises:
        ValueError: For a damaged file, no such entry, or one that unpacks to more.
    """
    with path.open("rb") as file:
        with whole(".npz", str(path)):
            archive = zipfile.ZipFile(file)
        with archive:
            name, info = _entry(archive, name, str(path))
            where = f"{path}:{name}"
            layout = _head(archive, info, where)
            need_stream(layout.shape, layout.dtype, where)
            there = info.file_size - layout.offset
            need(layout.size <= there, "a whole .npz entry", bytes_of_data=there, wanted=layout.size, file=where)
            if info.compress_type == zipfile.ZIP_STORED:
                _checked(archive, info, where)
                return _placed(layout, file, info, where).mapped(path), name
            hint = "keep it with np.savez, uncompressed, or allow more with unpacked="
            need(info.file_size <= unpacked, f"an entry that unpacks to at most {unpacked} bytes", hint,
                 bytes=info.file_size, file=where)  # fmt: skip
            return _unpacked(archive, info, layout, memory, where), name


def _entry(archive: zipfile.ZipFile, name: str | None, file: str) -> tuple[str, zipfile.ZipInfo]:
    """The wanted array's name, and where it is."""
    infos = {i.filename.removesuffix(SUFFIX): i for i in archive.infolist() if i.filename.endswith(SUFFIX)}
    if name is None or name not in infos:
        name = chosen({key: _head(archive, i, f"{file}:{key}").shape for key, i in infos.items()}, name, file)
    return name, infos[name]


def _head(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> Layout:
    """What an entry's .npy header says."""
    need(not info.flag_bits & ENCRYPTED, "an entry that is not encrypted", file=where)
    with whole(".npz", where):
        stream = archive.open(info)
    with stream:
        return header(stream, where)


def _placed(layout: Layout, file: IO[bytes], info: zipfile.ZipInfo, where: str) -> Layout:
    """Where a stored entry's numbers lie in the archive."""
    with whole(".npz", where):
        file.seek(info.header_offset)
        _, named, extra = LOCAL.unpack(file.read(LOCAL.size))
        offset = info.header_offset + LOCAL.size + named + extra + layout.offset
        size = os.fstat(file.fileno()).st_size
        need(
            0 <= offset <= size - layout.size, "an entry within the file", first_byte=offset, size=layout.size, file_size=size
        )
    return Layout(layout.shape, layout.dtype, offset, layout.fortran)


def _checked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> None:
    """Read a stored entry through once: its check sum is right, which mapping it would not ask for."""
    with whole(".npz", where), archive.open(info) as stream:
        while stream.read(PIECE):
            pass


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, layout: Layout, memory: int, where: str) -> NDArray[Any]:
    """A packed entry's array; its check sum is right."""
    with Spool(memory) as spool:
        with whole(".npz", where):
            stream = archive.open(info)
        with stream:
            header(stream, where)
            left = layout.size
            while piece := _piece(stream, where):
                spool.write(piece[:left])
                left -= min(left, len(piece))
        need(left == 0, "a whole .npz entry", bytes_missing=left, file=where)
        return spool.array(layout.shape, layout.dtype, layout.order)


def _piece(stream: IO[bytes], where: str) -> bytes:
    """Some bytes more, none at the end."""
    with whole(".npz", where):
        return stream.read(PIECE)
