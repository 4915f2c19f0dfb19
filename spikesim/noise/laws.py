"""Every law by its name: what a spec file may ask for."""

from spikesim.noise import entrywise, mixtures, recursive, steps
from spikesim.noise.base import Noise

LAWS: dict[str, type[Noise]] = {
    name: law
    for module in (entrywise, mixtures, steps, recursive)
    for name, law in vars(module).items()
    if isinstance(law, type) and issubclass(law, Noise) and law is not Noise and not name.startswith("_")
}
