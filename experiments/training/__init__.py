"""Closed loops: what is measured while weights move, written to experiments/data/training (`make training`)."""
