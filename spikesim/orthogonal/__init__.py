"""Orthogonalisers: pure functions of stacked matrices (..., m, n), one a file (theory.md, section O)."""
