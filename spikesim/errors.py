"""One form for every complaint: ``need <condition>, got <name>=<value>``."""


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
    values = ", ".join(f"{name}={value!r}" for name, value in got.items())
    raise ValueError(f"need {condition}, got {values}" + (f"; {hint}" if hint else ""))
