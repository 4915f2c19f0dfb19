"""One or more of every filter, for tests of what all of them promise."""

from spikesim.filters import EMA, FIR, IIR, HeavyBall, Kalman, Lookahead, MovingAverage, Nesterov, Schedule, Warmup

SPECIMENS = [
    *(EMA(w, s) for w in (1, 1.5, 20) for s in ("zero", "first", "debiased")),
    HeavyBall(1),
    HeavyBall(7.3),
    Nesterov(1),
    Nesterov(10),
    *(Nesterov(w, "debiased") for w in (1, 1.5, 10)),
    Lookahead(8.0, 0.7, 0.3),
    Lookahead(5.0, -1.5, 4.0),
    Lookahead(5.0, 0.0, 2.0),
    Lookahead(5.0, 3.0, 0.0),
    MovingAverage(1),
    MovingAverage(2),
    MovingAverage(7),
    FIR((1.5,)),
    FIR((0.5, -0.25, 0.0, 2.0)),
    IIR((0.3,), (1.0,)),
    IIR((0.1,), (1.0, -0.9)),
    IIR((0.2, -0.1, 0.3), (1.0, -0.5)),
    IIR((1.0,), (1.0, -1.2, 0.52)),
    IIR((0.0, 0.0, 0.0, 1.0, 0.5), (1.0, -1.5, 0.75, -0.125)),
    Schedule(6.0, ()),
    Schedule(6.0, (0.0,)),
    Schedule(20.0, (0.5, 0.9, 0.0, 0.99, 0.3)),
    Warmup(20.0, 0.5, 12),
    Warmup(20.0, 0.85, 30, "cosine"),
    Kalman(1),
    Kalman(1.5),
    Kalman(25),
]
STEPS = [1, 2, 3, 7, 8, 40]
