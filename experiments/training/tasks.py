"""What is trained: a model, its mini-batches by seed, and its validation set."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from training.gpt import GPT, Size
from training.text import VOCABULARY, text

FULL_SIZE = Size(VOCABULARY)
INITIAL, ORDER, FRESH, TWIN = range(4)
"""Streams of one seed: initial weights, mini-batches of training, further mini-batches, and one more for every step."""


@dataclass(frozen=True)
class Task(ABC):
    """A model with its data.

    Args:
        steps: Of one run of training.
        batch: Examples of a mini-batch.
        recorded: Names of the hidden weights whose gradients are recorded.
        adam: Learning rate of AdamW, which trains all but hidden matrices.
        centre: Learning rate of pre-polar that the grids are centred by.
    """

    steps: int
    batch: int
    recorded: tuple[str, ...]
    adam: float = 0.003
    centre: float = 0.02

    @abstractmethod
    def built(self) -> nn.Module:
        """The model before training, from torch's global generator."""

    @abstractmethod
    def drawn(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """A mini-batch: inputs, and the classes to be told."""

    @abstractmethod
    def validation(self) -> tuple[Tensor, Tensor]:
        """The validation set."""

    @abstractmethod
    def output(self) -> str:
        """Name of the output layer's weight."""

    def model(self, seed: int) -> nn.Module:
        """The model with this seed's initial weights."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(np.random.SeedSequence([seed, INITIAL]).generate_state(1)[0]))
            return self.built()

    def batches(self, seed: int, stream: int = ORDER) -> Iterator[tuple[Tensor, Tensor]]:
        """Mini-batches without end, the same for every pipeline and learning rate."""
        rng = np.random.default_rng([seed, stream])
        while True:
            yield self.drawn(rng)

    def hidden(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """Weights with two axes that are neither embeddings nor the output layer's, by name."""
        embeddings = {f"{name}.weight" for name, part in model.named_modules() if isinstance(part, nn.Embedding)}
        apart = embeddings | {self.output()}
        return {name: w for name, w in model.named_parameters() if w.ndim == 2 and name not in apart}


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Mean cross-entropy in nats, of one character or image."""
    inputs, targets = batch
    return cross_entropy(model(inputs).flatten(0, -2), targets.flatten())


@dataclass(frozen=True)
class Characters(Task):
    """A GPT that tells the next character of the standard library's sources; an example is a line of `context` of them."""

    size: Size = FULL_SIZE

    def built(self) -> nn.Module:
        """See Task."""
        return GPT(self.size)

    def drawn(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """See Task."""
        return self._lines(text().training, rng.integers(len(text().training) - self.size.context, size=self.batch))

    def validation(self) -> tuple[Tensor, Tensor]:
        """256 lines evenly spaced."""
        held = text().validation
        return self._lines(held, np.linspace(0, len(held) - self.size.context - 1, 256).astype(int))

    def output(self) -> str:
        """See Task."""
        return "head.weight"

    def _lines(self, characters: np.ndarray, starts: np.ndarray) -> tuple[Tensor, Tensor]:
        found = torch.from_numpy(characters[starts[:, None] + np.arange(self.size.context + 1)].astype(np.int64))
        return found[:, :-1], found[:, 1:]


@dataclass(frozen=True)
class Digits(Task):
    """A perceptron on scikit-learn's 8 x 8 digits; the first 1400 images of a fixed permutation are for training."""

    widths: tuple[int, ...] = (64, 48, 24, 10)

    def built(self) -> nn.Module:
        """See Task."""
        parts: list[nn.Module] = []
        for i, (n, m) in enumerate(zip(self.widths, self.widths[1:], strict=False)):
            parts += [nn.ReLU()] * bool(i) + [nn.Linear(n, m)]
        return nn.Sequential(*parts)

    def drawn(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """See Task."""
        images, classes = _digits()
        chosen = torch.from_numpy(rng.integers(TRAINING_IMAGES, size=self.batch))
        return images[chosen], classes[chosen]

    def validation(self) -> tuple[Tensor, Tensor]:
        """The images that are not for training."""
        images, classes = _digits()
        return images[TRAINING_IMAGES:], classes[TRAINING_IMAGES:]

    def output(self) -> str:
        """See Task."""
        return f"{2 * (len(self.widths) - 2)}.weight"


TRAINING_IMAGES = 1400


@cache
def _digits() -> tuple[Tensor, Tensor]:
    """Images (1797, 64) of zero mean and unit scale, and their classes, in a fixed order."""
    from sklearn.datasets import load_digits

    found: Any = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    images = (found.data[order] - found.data.mean()) / found.data.std()
    return torch.from_numpy(images.astype(np.float32)), torch.from_numpy(found.target[order].astype(np.int64))


_PARTS = ("blocks.0.value.weight", "blocks.1.out.weight", "blocks.1.down.weight")
_LAYERS = ("0.weight", "2.weight")
TASKS: dict[str, Task] = {
    "gpt": Characters(steps=320, batch=4, recorded=_PARTS),
    "digits": Digits(steps=320, batch=16, recorded=_LAYERS),
}
QUICK: dict[str, Task] = {
    "gpt": Characters(steps=64, batch=4, recorded=_PARTS[:1], size=Size(VOCABULARY, context=32, width=24, blocks=1)),
    "digits": Digits(steps=64, batch=16, recorded=_LAYERS, widths=(64, 24, 16, 10)),
}
