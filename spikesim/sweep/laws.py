"""Tables of a spec that name a law and its parameters: noise and signal, each with others inside; and spikes."""

from dataclasses import MISSING, fields
from typing import Any

from pydantic import ValidationInfo

from spikesim import noise
from spikesim.errors import need
from spikesim.signal import SIGNALS

Value = Any

LAWS: dict[str, dict[str, Any]] = {"noise": noise.LAWS, "signal": SIGNALS}
"""The laws that each table may ask for."""


def law_from(part: str, table: dict[str, Value]) -> Any:
    """The law that the table of a part, noise or signal, describes; raises ValueError as the law does."""
    laws, parameters = LAWS[part], dict(table)
    law = parameters.pop("law", None)
    need(isinstance(law, str) and law in laws, f"law in {tuple(laws)}", law=law)
    names = tuple(f.name for f in fields(laws[law]))
    required = {f.name for f in fields(laws[law]) if f.default is MISSING}
    need(set(parameters) <= set(names), f"parameters of {law} out of {names}", **{part: parameters})
    need(required <= set(parameters), f"{', '.join(sorted(required))} for {law}", **{part: parameters})
    inside = {name: law_from(part, x) if isinstance(x, dict) else x for name, x in parameters.items()}
    return laws[law](**inside)


def checked(table: dict[str, Value], info: ValidationInfo) -> dict[str, Value]:
    """A checked noise or signal table; whole numbers become floats, so that 1 and 1.0 are one point."""
    out = _floats(table)
    law_from(str(info.field_name), out)
    return out


def _floats(x: Value) -> Value:
    """Every whole number of a table as a float, those of tables inside too."""
    if isinstance(x, dict):
        return {name: _floats(value) for name, value in x.items()}
    if isinstance(x, int) and not isinstance(x, bool):
        need(abs(x) < 2**1023, "numbers below 2**1023", digits=x.bit_length() * 3 // 10)
        return float(x)
    return x
