"""One form for every complaint: ``need <condition>, got <name>=<value>``."""

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
