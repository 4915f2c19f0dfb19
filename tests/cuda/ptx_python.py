"""Instructions of PTX as Python's, for the machine of ptx_machine.py: registers are a dictionary, r['%rd1'].

A register holds what it is declared as: an integer below 2^bits, a float, a truth. What reads or writes it as another type of
the same size means its bits.
"""

import math
import re
from dataclasses import dataclass

import ptx_numbers as numbers

WRAPPED = {"add", "sub", "mul.lo", "mad.lo", "neg", "not", "and", "or", "xor", "shl", "selp", "mov"}
"""The same of signed and of unsigned integers."""
INTEGERS = {
    "add": "{0} + {1}", "sub": "{0} - {1}", "mul.lo": "{0} * {1}", "mad.lo": "{0} * {1} + {2}", "neg": "-{0}", "not": "~{0}",
    "and": "{0} & {1}", "or": "{0} | {1}", "xor": "{0} ^ {1}", "shl": "{0} << min({1}, 64)", "shr": "{0} >> min({1}, 64)",
    "min": "min({0}, {1})", "max": "max({0}, {1})", "abs": "abs({0})", "mov": "{0}", "cvta.to.global": "{0}",
    "mul.wide": "{0} * {1}", "mul.hi": "({0} * {1}) >> {bits}",
    "bfi": "({1} & ~((1 << {3}) - 1 << {2})) | ({0} & (1 << {3}) - 1) << {2}",
}  # fmt: skip
FLOATS = {
    "add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}", "div": "divided({0}, {1})", "sqrt": "root({0})",
    "rcp": "divided(1.0, {0})", "neg": "-{0}", "abs": "abs({0})", "min": "least({0}, {1})", "max": "greatest({0}, {1})",
    "copysign": "copysign({1}, {0})", "mov": "{0}",
}  # fmt: skip
ROUNDED = {"add", "sub", "mul", "div", "sqrt", "rcp"}
TRUTHS = {"and": "{0} and {1}", "or": "{0} or {1}", "xor": "{0} != {1}", "not": "not {0}", "mov": "{0}"}
COMPARED = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "lo": "<",
    "ls": "<=",
    "hi": ">",
    "hs": ">=",
}


def width(kind):
    """Bits of a type."""
    return int(kind[1:])


@dataclass(frozen=True)
class Translator:
    """PTX to Python: labels are numbers of stretches, kinds the types of registers by the letters of their names."""

    labels: dict
    kinds: dict

    def function(self, lines, number, last):
        """A stretch of code, which gives the number of the next; nothing at the end."""
        code = [f"    {self.statement(line)}" for line in lines]
        source = "\n".join(["def stretch(r, memory):", *code, f"    return {None if number == last else number + 1}"])
        space = {**vars(numbers), "copysign": math.copysign, "inf": math.inf, "nan": math.nan}
        exec(compile(source, f"stretch {number}", "exec"), space)
        return space["stretch"]

    def statement(self, line):
        """One instruction, with its predicate."""
        found = re.fullmatch(r"(?:@(!?)(%p\d+)\s+)?([a-z][\w.]*)\s*(.*);", line)
        if not found:
            raise NotImplementedError(line)
        negated, predicate, code, rest = found.groups()
        operands = re.findall(r"\{[^}]*\}|\[[^\]]*\]|[^,\s]+", rest)
        try:
            done = self.instruction(code, operands)
        except (KeyError, IndexError, ValueError) as error:
            raise NotImplementedError(line) from error
        return f"if {'not ' if negated else ''}r['{predicate}']: {done}" if predicate else done

    def instruction(self, code, operands):
        """Python's statement for one."""
        if code in ("bra", "bra.uni"):
            return f"return {self.labels[operands[0]]}"
        if code == "ret":
            return "return None"
        name, _, kind = code.rpartition(".")
        if code == "mov.b64" and "{" in "".join(operands):
            return self.halves(*operands)
        if name in ("ld.global", "ld.global.nc", "st.global"):
            return self.access(name, kind, operands)
        if name == "ld.param":
            return self.write(operands[0], kind, f"r['{operands[1][1:-1]}']")
        if name.startswith("setp."):
            return self.write(operands[0], "pred", self.compared(name.split(".")[1:], kind, operands[1:]))
        if name.startswith("cvt") and name != "cvta.to.global":
            return self.converted(name.split(".")[1:], kind, operands)
        if name == "selp":
            a, b, p = self.read(operands[1], kind), self.read(operands[2], kind), self.read(operands[3], "pred")
            return self.write(operands[0], kind, f"{a} if {p} else {b}")
        return self.computed(name, kind, operands)

    def computed(self, name, kind, operands):
        """Arithmetic, logic, moves."""
        signed = kind.replace("s", "u") if name in WRAPPED else kind
        read = [self.read(x, "u32" if i and name in ("shl", "shr") else signed) for i, x in enumerate(operands[1:])]
        if kind == "pred":
            return self.write(operands[0], kind, TRUTHS[name].format(*read))
        if kind[0] == "f":
            return self.write(operands[0], kind, self.float_result(name, kind, read))
        wide = kind[0] + str(2 * width(kind)) if name.endswith(".wide") else kind
        done = INTEGERS[name].format(*read, bits=width(kind))
        return self.write(operands[0], wide, f"({done}) & {(1 << width(wide)) - 1}")

    def float_result(self, name, kind, read):
        """Rounded to the nearest: the only rounding known."""
        if name == "fma.rn":
            return f"fma{width(kind)}({', '.join(read)})"
        if (name, kind) == ("rcp.approx.ftz", "f64"):
            return f"reciprocal_of_halves({read[0]})"
        plain = name.removesuffix(".rn")
        done = FLOATS[plain].format(*read)
        return f"single({done})" if kind == "f32" and plain in ROUNDED else done

    def compared(self, how, kind, operands):
        """how: comparison, then a logical operation with the third operand if there is one."""
        a, b = (self.read(x, kind) for x in operands[:2])
        if kind[0] == "f" and how[0] == "ne":
            done = f"({a} < {b} or {a} > {b})"
        elif kind[0] == "f" and how[0].endswith("u"):  # true where either is NaN
            done = f"({a} {COMPARED[how[0][:-1]]} {b} or {a} != {a} or {b} != {b})"
        elif how[0] in ("num", "nan"):
            done = f"({a} == {a} and {b} == {b})" if how[0] == "num" else f"({a} != {a} or {b} != {b})"
        else:
            done = f"({a} {COMPARED[how[0]]} {b})"
        return TRUTHS[how[1]].format(done, self.read(operands[2], "pred")) if how[1:] else done

    def converted(self, how, source, operands):
        """how: rounding if any, then the new type."""
        x, (*rounding, kind) = self.read(operands[1], source), how
        if len(rounding) > 1:
            raise ValueError(how)
        if kind[0] == "f" and source[0] == "f":
            if rounding and rounding[0] != "rn":
                done = f"whole({x}, {rounding[0]!r})"
            else:
                done = f"single({x})" if kind == "f32" else x
        elif kind[0] == "f":
            if rounding != ["rn"] or (kind, width(source)) == ("f32", 64):  # two roundings
                raise ValueError(how)
            done = f"single({x})" if kind == "f32" else f"float({x})"
        elif source[0] == "f":
            low, high = (
                (-(1 << width(kind) - 1), (1 << width(kind) - 1) - 1) if kind[0] == "s" else (0, (1 << width(kind)) - 1)
            )
            done = f"integer({x}, {rounding[0]!r}, {low}, {high})"
        else:
            done = x
        return self.write(operands[0], kind, done if kind[0] == "f" else f"({done}) & {(1 << width(kind)) - 1}")

    def access(self, name, kind, operands):
        """Loads and stores; an address is a register and perhaps a number."""
        stored = kind if kind[0] == "f" else f"b{width(kind)}"
        where = operands[-1 if name.startswith("ld") else 0][1:-1]
        register, _, offset = where.partition("+")
        place = f"r['{register}'] + {int(offset or 0)}"
        if name.startswith("ld"):
            return self.write(operands[0], kind, f"memory.load({place}, {stored!r})")
        return f"memory.store({place}, {stored!r}, {self.read(operands[1], stored)})"

    def halves(self, to, of):
        """mov.b64 between a register and the two halves of one, low half first."""
        low, high = ((of if of[0] == "{" else to)[1:-1]).replace(" ", "").split(",")
        if of[0] == "{":
            return self.write(to, "b64", f"{self.read(low, 'b32')} | {self.read(high, 'b32')} << 32")
        x = self.read(of, "b64")
        return f"{self.write(low, 'b32', f'{x} & {0xFFFFFFFF}')}; {self.write(high, 'b32', f'{x} >> 32')}"

    def kind(self, register):
        """Declared type."""
        return "u32" if "." in register else self.kinds[re.match(r"%[a-z]+", register)[0]]

    def read(self, operand, kind):
        """An operand as a number of a type, whatever its register is declared as."""
        if re.fullmatch(r"0[fd][0-9A-F]+", operand):
            found = int(operand[2:], 16)
            return repr(numbers.number(found, width(kind))) if kind[0] == "f" else str(found)
        if re.fullmatch(r"-?\d+", operand):
            return f"({int(operand)})" if kind[0] == "s" else str(int(operand) & (1 << width(kind)) - 1)
        declared, x = self.kind(operand), f"r['{operand}']"
        if declared == kind == "pred":
            return x
        if (declared[0] == "f") != (kind[0] == "f"):
            return f"{'number' if kind[0] == 'f' else 'bits'}({x}, {width(kind)})"
        half = 1 << width(kind) - 1
        if kind[0] != "f" and width(declared) > width(kind):
            x = f"({x} & {2 * half - 1})"
        return f"(({x} ^ {half}) - {half})" if kind[0] == "s" else x

    def write(self, register, kind, done):
        """A number of a type to a register."""
        declared = self.kind(register)
        if not re.fullmatch(r"%\w+", register) or (kind[0] == "s" and width(declared) > width(kind)):  # signs go further
            raise ValueError(register)
        if (declared[0] == "f") != (kind[0] == "f"):
            done = f"{'number' if declared[0] == 'f' else 'bits'}({done}, {width(kind)})"
        return f"r['{register}'] = {done}"
