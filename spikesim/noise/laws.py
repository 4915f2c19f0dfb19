"""Every law by its name: what a spec file may ask for."""

from spikesim.noise import entrywise, recursive, steps
from spikesim.noise.base import Noise

LAWS: dict[str, type[Noise]] = {
    name: law
    for module in (entrywise, steps, recursive)
    for name, law in vars(module).items()
    if isinstance(law, type) and issubclass(law, Noise) and law is not Noise and not name.startswith("_")
}
