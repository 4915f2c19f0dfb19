"""Files of gradients, in every format that is read."""

import io
import json
import struct
import zipfile

import numpy as np

SHAPE = (5, 3, 4)


def gradients(dtype="<f4", shape=SHAPE):
    """Different numbers, which float16 and bfloat16 hold exactly."""
    return (np.arange(np.prod(shape)).reshape(shape) / 4 - 3).astype(dtype)


def npy_bytes(array, version=None, allow_pickle=False):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version, allow_pickle=allow_pickle)
    return stream.getvalue()


def npy_with(header, data=b"\0" * 1000):
    """A .npy file whose header is any text."""
    text = header.encode("latin1")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def npz_bytes(compressed=False, **arrays):
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, **arrays)
    return stream.getvalue()


def zip_bytes(content, name="grad.npy", **options):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", **options) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def bfloat16(array):
    """Upper halves of float32 numbers."""
    return (array.astype("<f4").view("<u4") >> 16).astype("<u2")


KINDS = {"f2": "F16", "f4": "F32", "f8": "F64", "u2": "BF16", "i4": "I32"}


def safetensors_bytes(tensors, kinds=KINDS, **metadata):
    """As the format's own page describes it."""
    head, data = ({"__metadata__": metadata} if metadata else {}), b""
    for name, x in tensors.items():
        after = len(data) + x.nbytes
        head[name] = {"dtype": kinds[x.dtype.str[1:]], "shape": list(x.shape), "data_offsets": [len(data), after]}
        data += x.tobytes()
    return with_header(json.dumps(head).encode(), data)


def with_header(head, data=b"", length=None):
    return struct.pack("<Q", len(head) if length is None else length) + head + data


def written(path, content):
    path.write_bytes(content)
    return path
