"""A prediction in words and tables, and what the command line gives for it, read."""

from spikesim.errors import need
from spikesim.predict import Prediction
from spikesim.tables import ruled
from spikesim.theory.arguments import shape_of, window_of

SPIKES = ("spike", "critical T (S2)", "sigma_k (S3)", "left overlap^2", "right overlap^2", "u^T O(M) v (S4)")


def shape_from(given: str) -> tuple[int, int]:
    """(m, n) from text such as "4096x16384"."""
    parts = given.lower().replace("×", "x").split("x")
    plain = all(x.isascii() and x.strip().isdecimal() and len(x) < 20 for x in parts)
    need(len(parts) == 2 and plain, "shape as in 4096x16384", shape=given)
    return shape_of((int(parts[0]), int(parts[1])))


def window_from(window: float | None, momentum: float | None) -> float:
    """T from the one of window and momentum that is given; to 12 digits, so that 0.9 is T = 10."""
    need((window is None) != (momentum is None), "window or momentum, and not both", window=window, momentum=momentum)
    if momentum is None:
        return window_of(window)  # type: ignore[arg-type]
    need(0 <= momentum < 1, "0 <= momentum < 1", momentum=momentum)
    return window_of(float(f"{1 / (1 - momentum):.12g}"))


def text(p: Prediction, width: int = 110) -> str:
    """The prediction in tables, `width` columns wide."""
    m, n = p.shape
    head = f"{m} x {n}, sigma {p.sigma:g}, T = {p.window:g} (beta = {p.momentum:.6g}, 2T - 1 = {p.n_eff:g}), steady state"
    spikes = [
        (f"{s.size:g}", _number(s.critical_window), _number(s.singular_value), f"{s.left_overlap:.4f}",
         f"{s.right_overlap:.4f}", f"{s.direction:.4f}")
        for s in p.spikes
    ]  # fmt: skip
    updates = [(u.pipeline, _share(u.alignment), _share(u.truncated), u.source) for u in p.updates]
    rows = [
        (c.quantity, _number(c.sharp), _bound(c.expected, c.trivial), _bound(c.quantile, c.trivial), c.sources)
        for c in p.comparisons
    ]
    quantile = f"bound but for {p.n_eff**-0.5:.2g} of trials"
    parts = [
        head,
        ruled(SPIKES, spikes, width, f"bulk edge {p.bulk_edge:.4g} (S2)"),
        ruled(("pipeline", "alignment", "top-r pairs only", "source"), updates, width),
        ruled(("quantity", "sharp", "bound of the mean", quantile, "sources"), rows, width),
        *_advice(p),
    ]
    return "\n".join(parts)


def _advice(p: Prediction) -> list[str]:
    w, out = p.windows, []
    if w.reaching is not None:
        out.append(f"smallest T with pre-polar alignment {w.reach:g}: {_window(w.reaching)} (S4)")
    if w.theorem_2 is not None:
        out.append(f"Theorem 2 proves pre-polar ahead of polar-only from T_0 = {_window(w.theorem_2)} (B5)")
    if w.best is not None and w.best_alignment is not None:
        out.append(f"best T when u turns by {w.drift:g} a step: {_window(w.best)}, alignment {w.best_alignment:.4f} (S8)")
        if w.reaching is not None and w.reach is not None and w.best_alignment < w.reach:
            out.append(f"alignment {w.reach:g} is out of reach at this noise and drift: average over a larger batch")
    out.append("assumes independent entries of one finite variance, few distinct spikes, large m and n; bounds: BVMZOS noise")
    return out


def _window(t: float) -> str:
    return f"{_number(t)} (beta = {1 - 1 / t:.9g})"


def _number(x: float) -> str:
    return f"{x:.4g}" if abs(x) < 1e5 else f"{x:.3e}"


def _share(x: float | None) -> str:
    return "-" if x is None else f"{x:.4f}"


def _bound(x: float | None, trivial: float) -> str:
    if x is None:
        return "-"
    return f"{_number(x)} (vacuous)" if x >= trivial else _number(x)
