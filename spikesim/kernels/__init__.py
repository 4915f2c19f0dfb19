"""Compiled loops: Philox words, scalar transforms to each law, and the fused noise-and-EMA stream kernel."""
