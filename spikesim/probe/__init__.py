"""Recorded gradients held against the theory: what is signal, what is noise, and which momentum pays."""
