"""A user's file over the public surface: mypy --strict passes it against the installed package."""

from typing import assert_type

import xarray as xr

import spikesim as ss

model = ss.SpikedModel(shape=(16, 32), spikes=(6.0, 4.0), noise=ss.Gaussian(sigma=0.5))
data = ss.simulate(model, windows=[1, 2, 5], trials=4, seed=0)
assert_type(data, xr.Dataset)
assert_type(ss.fit_rate(data.window, 1 - data.alignment.sel(pipeline="pre-polar")), ss.RateFit)
assert_type(ss.__version__, str)
print(data.alignment.mean("trial").to_pandas())
print(ss.theory.asymptotics.alignment(model.shape, 0.5, model.spikes, window=50))
