"""Values, texts and bytes that readers do not expect."""

import copy
import random
from typing import Any

Random = random.Random

NUMBERS: tuple[Any, ...] = (
    0, 1, -1, 2, 3, 7, 10**9, -(10**9), 2**31, 2**63 - 1, 2**63, 2**64, 10**30, -(10**30), 10**400, 0.0, -0.0, 0.5, 1.0, 1.5, 1e-9,
    1e-300, 5e-324, 1e16, 1e150, 1e300, 1.7e308, float("nan"), float("inf"), -float("inf"), 0.9999999999999999,
)  # fmt: skip
TEXTS = (
    "", " ", "a b", "x" * 300, "y" * 20_000, "\x00", "\x1b[31mred", "a\nb", "\r\n", "ü漢字😀", "'", '"', "\\", "%s%n", "{x}",
    "../../evil", "/etc/passwd", "~", "-", "--help", "NaN", "inf", "1e999", "0x10", "None", "EMA", "Nesterov", "Gaussian",
    "pre-polar", "polar-only", "haar", "axes", "stream", "collapsed", "banded", "cuda", "float32", "alignment",
    "Clip(1e999) -> Filter()", "Clip(-1.0) -> Polar()", "Clip(nan) -> Filter() -> Polar()", "Filter() -> Polar() -> " * 40 + "Polar()",
    "__import__('os').mkdir('evil')", "Polar(__import__('os'))", "Filter(EMA(1e300))", "Filter(" * 4000, "(" * 4000,
    "Polar(" + "9" * 5000 + ")", "Clip(" + "-" * 4000 + "1)", "Polar() -> ", "->", "Filter(EMA(start=EMA(start=1)))",
    "Clip(10**10**10)", "x = y = Polar()", " = Polar()", "Tiled((1, 1))", "NewtonSchulz(((1.0, 2.0, 3.0),))", "lambda: 0",
    "EMA(start='first')", "MovingAverage(4)", "[x for x in (1,)]", "f'{1}'", "Polar()\x00", "1j", "Kalman(1e308)",
)  # fmt: skip
OTHERS: tuple[Any, ...] = (True, False, [], {}, [[]], [{}], {"law": "Gaussian"}, {"law": []}, {"": 0}, {"law": "PowerLaw"})


def value(draw: Random) -> Any:
    """Anything that a TOML file can hold."""
    kind = draw.randrange(6)
    if kind < 2:
        return draw.choice(NUMBERS)
    if kind < 4:
        return draw.choice(TEXTS)
    if kind == 4:
        return [value(draw) for _ in range(draw.randrange(4))]
    return copy.deepcopy(draw.choice(OTHERS))


def nested(draw: Random, depth: int) -> Any:
    """A value far down."""
    inside = value(draw)
    for _ in range(depth):
        inside = [inside] if draw.random() < 0.5 else {draw.choice(["law", "a", "noise"]): inside}
    return inside


def text(draw: Random) -> str:
    """For a command line: none of them holds a zero byte."""
    kind = draw.randrange(4)
    if kind == 0:
        return str(draw.choice(NUMBERS)) if draw.random() < 0.9 else "9" * 5000
    if kind == 1:
        return "".join(
            chr(draw.choice([draw.randrange(1, 128), draw.randrange(160, 0xD7FF)])) for _ in range(draw.randrange(9))
        )
    return draw.choice(TEXTS).replace("\x00", "\x01")


def damaged(draw: Random, content: bytes) -> bytes:
    """The bytes, cut, grown, with bits turned over or a stretch of them gone or doubled."""
    if not content:
        return draw.randbytes(8)
    at, length = draw.randrange(len(content)), draw.choice([1, 1, 4, 16, 64])
    kind = draw.randrange(7)
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:at] + draw.randbytes(length) + content[at:]
    if kind == 2:
        return content[:at] + content[at + length :]
    if kind == 3:
        return content[:at] + content[at : at + length] * 2 + content[at + length :]
    if kind == 4:
        return draw.choice(
            [b"", b"\x00" * 100, b"\xff\xfe", b"\xef\xbb\xbf" + content, content.replace(b"\n", b"\r\n"), content * 2]
        )
    changed = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 8])):
        changed[draw.randrange(len(changed)) if kind == 5 else min(len(changed) - 1, draw.randrange(200))] ^= (
            1 << draw.randrange(8)
        )
    return bytes(changed)
