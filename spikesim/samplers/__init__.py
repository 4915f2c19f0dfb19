"""Ways to draw what a momentum buffer holds: step by step (stream), at once (collapsed), or its norm alone (scalars)."""
