"""A user's file over the public surface: mypy --strict passes it against the installed package, and Python runs it."""

from typing import Any, assert_type

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import spikesim as ss

# A model and what is simulated of it
model = ss.SpikedModel(shape=(16, 32), spikes=(6.0, 4.0), noise=ss.Gaussian(sigma=0.5))
data = ss.simulate(model, windows=[1, 2, 5], trials=4, seed=0)
assert_type(data, xr.Dataset)
fit = ss.fit_rate(data.window, 1 - data.alignment.sel(pipeline="pre-polar"))
assert_type(fit, ss.RateFit)
assert_type(fit.exponent, float)
assert_type(fit.drifts, bool)
print(data.alignment.mean("trial").to_pandas())

# Laws, signals and filters, by value
moving = ss.SpikedModel((16, 32), ss.power_law(6.0, 0.5, count=3), ss.StudentT(5.0), signal=ss.Rotating(omega=0.01))
assert_type(moving, ss.SpikedModel)
assert_type(moving.rank, int)
assert_type(ss.EMA(window=10.0).beta, float)
stream = ss.gradients(model, steps=24)
assert_type(stream, NDArray[np.float64])

# Pipelines and stages
pipeline = ss.Pipeline((ss.stages.Clip(15.0), ss.Filter(), ss.Polar()), "clipped")
assert_type(pipeline, ss.Pipeline)
assert_type(ss.Pipeline.from_text("Filter() -> Polar()").text, str)
assert_type(ss.PIPELINES, tuple[str, ...])
ss.last_update(pipeline, stream, window=5)
ss.polar_factor(ss.newton_schulz(stream[0], (1.5, -0.5), steps=5))

# Closed forms
layer = ss.predict((4096, 16384), spikes=8.0, sigma=1.0, window=20, reach=0.9)
assert_type(layer, ss.Prediction)
assert_type(layer.n_eff, float)
assert_type(layer.windows.reaching, float | None)
assert_type(layer.as_json(), dict[str, Any])
assert_type(ss.theory.asymptotics.alignment(model.shape, 0.5, model.spikes, window=50), float)

# Sweeps and their stores
sweep = ss.Sweep.from_toml("small.toml")
assert_type(sweep, ss.Sweep)
assert_type(len(sweep), int)
store = sweep.run("kept")
assert_type(store, ss.Store)
for result in store:
    assert_type(result.model, ss.SpikedModel)
    assert_type(result.data, xr.Dataset)
store.table().to_pandas()

# Recorded gradients
with ss.Recorder("gradients", fresh=True) as recorder:
    assert_type(recorder, ss.Recorder)
    for gradient in ss.gradients(model, steps=96):
        recorder.add("layer", gradient)
found = ss.probe("gradients/layer.npy", windows=[1, 2])
assert_type(found, ss.Probe)
assert_type(found.rank, int)
assert_type(found.data, xr.Dataset)
assert_type(found.text(), str)

assert_type(ss.__version__, str)
