"""Observables in words, for those who read a page and not the code."""

WORDS = {
    "alignment_truncated": "truncated alignment",
    "sin_theta_left": "sin θ, left",
    "sin_theta_right": "sin θ, right",
    "singular_values": "singular value",
    "bias_squared": "squared bias",
}
"""Of names that do not read as words themselves."""


def in_words(observable: str, index: int | None = None) -> str:
    """An observable as a figure names it, and which of several.

    Args:
        observable: Its name in a store.
        index: Of a singular value, from 1.
    """
    return WORDS.get(observable, observable.replace("_", " ")) + (f" {index}" if index is not None else "")
