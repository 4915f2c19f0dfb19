"""Who takes part, and how each uses its cores: in the way that is fastest for it.

BLAS has one thread everywhere: with two, matrices of this size take longer, and far longer on a busy machine.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Contender:
    """One way to do the work.

    Args:
        name: Key in the results.
        label: In tables and figures.
        module: Of this package, with noise_ema, observables and alignment.
        threading: How it uses several cores, in words.
        options: Further keyword arguments of its functions.
        process_each: One process a core, pinned, instead of threads of one process.
        one_thread: One thread, however many cores there are.
        needs: What must be installed.
    """

    name: str
    label: str
    module: str
    threading: str
    options: dict[str, Any] = field(default_factory=dict)
    process_each: bool = False
    one_thread: bool = False
    needs: str = "numpy"

    def arguments(self, cores: int) -> dict[str, Any]:
        """Keyword arguments of its functions on a number of cores."""
        threads = {} if self.process_each or self.one_thread else {"threads": cores}
        return {**self.options, **threads}


SPIKESIM = Contender("spikesim", "spikesim", "spikesim_run", "trials on threads")
NUMPY = Contender("numpy", "NumPy script", "plain_numpy", "one thread", one_thread=True)
NUMPY_POOL = Contender("numpy-pool", "NumPy script, trials on threads", "plain_numpy", "trials on threads")
NUMPY_GRAM = Contender("numpy-gram", "NumPy, Gram + eigh", "plain_numpy", "trials on threads", {"factors": "gram_svd"})
TORCH_SVD = Contender("torch-svd", "torch, batched SVD", "torch_svd", "trials on threads", needs="torch")
TORCH_GRAM = Contender("torch-gram", "torch, Gram iteration", "torch_gram", "trials on threads", needs="torch")
JAX = Contender("jax", "JAX, jit + vmap", "jax_vmap", "one process a core", process_each=True, needs="jax")

END_TO_END = (NUMPY, NUMPY_POOL, NUMPY_GRAM, TORCH_SVD, TORCH_GRAM, JAX)

NOISE_NUMPY = Contender("numpy", "NumPy, in place", "plain_numpy", "one thread")
NOISE_NUMPY_CHUNK = Contender("numpy-chunk", "NumPy, 16 steps a product", "plain_numpy", "one thread", {"chunk": 16})
NOISE_TORCH = Contender("torch", "torch, normal_ + lerp_", "torch_common", "one thread", needs="torch")
NOISE_TORCH_CHUNK = Contender(
    "torch-chunk", "torch, 16 steps a product", "torch_common", "one thread", {"chunk": 16}, needs="torch"
)
NOISE_JAX = Contender("jax", "JAX, scan, 16 steps a product", "jax_vmap", "one thread", {"chunk": 16}, True, needs="jax")

NOISE = (NOISE_NUMPY, NOISE_NUMPY_CHUNK, NOISE_TORCH, NOISE_TORCH_CHUNK, NOISE_JAX)
