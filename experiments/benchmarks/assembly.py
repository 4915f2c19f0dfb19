"""How many instructions a trip of a kernel's innermost loop takes, read from its PTX or SASS.

A trip takes the path from the loop's head to its branch back that draws least from Philox, then touches memory least, then
is longest: so further bits of a small word, which are drawn once in thousands of trips, and steps that are written out are
not counted, and everything else is.

SASS is what runs. PTX is what the assembler is given, and only a guide: its moves, conversions between integers, and 64-bit
operations that take half of a product cost nothing and are not counted, but of its other logic up to a half may be joined to
its neighbours.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from spikesim.errors import need

FACTORS = {0xD2511F53, 0xCD9E8D57}
"""Of Philox's products."""
PRODUCTS, LEAST = 20, 12
"""Products of a draw of Philox, and how few of them a loop may do: those of the first rounds may stand before it."""
WORDS = 4
"""Entry-steps of a draw: two entries by two steps."""

_COMMENT = re.compile(r"/\*.*?\*/|//.*")
_LABEL = re.compile(r"^\s*([.$\w]+):\s*$")
_ADDRESS = re.compile(r"^\s*/\*([0-9a-fA-F]{4,})\*/")
_CODE = re.compile(r"^(@!?[\w%]+\s+)?([A-Za-z][\w.:]*)\s*(.*?)\s*;")
_TARGET = re.compile(r"`?\(?([.$][\w.$]+|0x[0-9a-fA-F]+)\)?\s*$")
_NUMBER = re.compile(r"(?<![\w.$%])-?(?:0x[0-9a-fA-F]+|\d+)(?![\w.])")

CLASSES = (
    ("free", r"mov|cvt\.[us](16|32|64)\.[us](16|32|64)|cvta"),
    ("double", r".*\.f64|D(FMA|ADD|MUL|SETP|MNMX)"),
    ("special", r"(sqrt|rsqrt|rcp|lg2|ex2|sin|cos|div|cvt)\.|MUFU|I2F|F2I|F2F|I2I|POPC|FLO|popc|clz|brev"),
    ("float", r"(fma|add|sub|mul|neg|abs)\.(rn\.)?(ftz\.)?f32|F(FMA|ADD|MUL)"),
    ("multiply", r"(mul|mad|mul24|dp4a)\.|IMAD"),
    ("memory", r"(ld|st|atom|red|prefetch|bar|membar)\.|(LD|ST|RED|ATOM|BAR|DEPBAR)"),
    ("branch", r"bra|ret|exit|call|BRA|EXIT|BSSY|BSYNC|RET|CALL|WARPSYNC|NOP|nop"),
)
"""Class -> how its mnemonics begin; whatever else computes is "integer": sums, logic, shifts, comparisons, choices."""


@dataclass(frozen=True)
class Instruction:
    """One instruction; predicated: it may be skipped, and what follows a branch is reached."""

    mnemonic: str
    operands: str
    predicated: bool

    @cached_property
    def kind(self) -> str:
        """One of CLASSES, or "integer"."""
        return next((name for name, begin in CLASSES if re.match(begin, self.mnemonic)), "integer")

    @property
    def counts(self) -> bool:
        """Whether anything is left of it where registers have 32 bits: not of moves, nor of taking half of 64 bits."""
        low = self.mnemonic == "and.b64" and self.operands.endswith("4294967295")
        high = self.mnemonic == "shr.u64" and self.operands.endswith(" 32")
        return self.kind != "free" and not low and not high

    @property
    def target(self) -> str | None:
        """Label or address that a branch names."""
        found = _TARGET.search(self.operands) if re.match(r"bra|BRA", self.mnemonic) else None
        return found.group(1) if found else None

    @property
    def ends(self) -> bool:
        """Whether nothing after it follows."""
        return not self.predicated and bool(re.match(r"bra|BRA|ret|EXIT|RET|exit", self.mnemonic))

    @property
    def is_wide(self) -> bool:
        """A product of unsigned 32-bit numbers that gives its high half."""
        return bool(re.match(r"IMAD\.(WIDE|HI)\.U32|(mul|mad)\.(wide|hi)\.u32|mul\.lo\.[us]64", self.mnemonic))

    @cached_property
    def is_philox(self) -> bool:
        """The same, with one of Philox's factors."""
        return self.is_wide and any(int(x, 0) & 0xFFFFFFFF in FACTORS for x in _NUMBER.findall(self.operands))


@dataclass(frozen=True)
class Loop:
    """One trip of a loop.

    Args:
        counts: Instructions of each class.
        products: How many of them are products of Philox.
    """

    counts: dict[str, int]
    products: int

    @property
    def entry_steps(self) -> int:
        """Numbers that a trip makes: a draw for each 20 products, or fewer where the first rounds stand before the loop."""
        return WORDS * -(-self.products // PRODUCTS)


def parsed(text: str) -> tuple[list[Instruction], dict[str, int]]:
    """Instructions, and where each label or address stands among them."""
    code: list[Instruction] = []
    places: dict[str, int] = {}
    for line in text.splitlines():
        address = _ADDRESS.match(line)
        bare = _COMMENT.sub("", line).strip()
        label, found = _LABEL.match(bare), _CODE.match(bare.lstrip("{ "))
        if label:
            places[label.group(1)] = len(code)
        elif found:
            if address:
                places[hex(int(address.group(1), 16))] = len(code)
            code.append(Instruction(found.group(2), found.group(3), found.group(1) is not None))
    return code, places


def innermost(text: str) -> Loop:
    """The smallest loop whose trip draws from Philox.

    Raises:
        ValueError: If there is none, as where rounds are a loop of their own.
    """
    code, places = parsed(text)
    named = [x.is_philox for x in code]
    products = named if any(named) else [x.is_wide for x in code]  # factors may wait in registers
    ends: dict[int, int] = {}
    for i, instruction in enumerate(code):
        to = places.get(_key(instruction.target))
        if to is not None and to <= i:
            ends[to] = max(i, ends.get(to, 0))
    for head, end in sorted(ends.items(), key=lambda span: span[1] - span[0]):
        path = _path(code, products, places, head, end)
        if path is not None:
            counts = Counter(code[i].kind for i in path if code[i].counts)
            return Loop(dict(counts), sum(products[i] for i in path))
    need(False, f"a loop with {LEAST} products of Philox or more", instructions=len(code))
    raise AssertionError


def _key(target: str | None) -> str:
    return hex(int(target, 16)) if target and target.startswith("0x") else target or ""


State = tuple[int, int, int, int]
"""What a path has cost: memory instructions, less its length; then where it came from, with how many products."""


def _path(
    code: Sequence[Instruction], is_product: Sequence[bool], places: dict[str, int], head: int, end: int
) -> list[int] | None:
    """The path from head to end that `innermost` describes; None without one. Branches back are not taken."""
    best: list[dict[int, State]] = [{} for _ in range(end + 2 - head)]  # products so far -> state
    best[0][0] = (0, 0, -1, 0)
    for i in range(head, end + 1):
        instruction = code[i]
        to = places.get(_key(instruction.target))
        following = [i + 1] if i == end or not instruction.ends else []
        following += [to] if to is not None and i < to <= end else []
        for products, (memory, length, _, _) in best[i - head].items():
            state = (memory + (instruction.kind == "memory"), length - 1, i, products)
            for j in following:
                seen = best[j - head].get(products + is_product[i])
                if seen is None or state[:2] < seen[:2]:
                    best[j - head][products + is_product[i]] = state
    enough = [products for products in best[-1] if products >= LEAST]
    return _traced(best, head, min(enough)) if enough else None


def _traced(best: Sequence[dict[int, State]], head: int, products: int) -> list[int]:
    path: list[int] = []
    at = head + len(best) - 1
    while at != head:
        _, _, at, products = best[at - head][products]
        path.append(at)
    return path[::-1]
