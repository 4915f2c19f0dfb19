"""Tables of a spec that name a law and its parameters: noise and signal."""

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
    return laws[law](**parameters)


def checked(table: dict[str, Value], info: ValidationInfo) -> dict[str, Value]:
    """A checked noise or signal table; whole numbers become floats, so that 1 and 1.0 are one design point."""
    out = {k: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in table.items()}
    law_from(str(info.field_name), out)
    return out
