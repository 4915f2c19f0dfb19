"""Ways to draw what a momentum buffer holds: step by step (stream), or its norm alone (scalars)."""
