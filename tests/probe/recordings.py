"""Small recordings of known truth: the tests of the probe are about what it computes, not about how well."""

import json
import struct

import numpy as np

SHAPES = ((4, 7), (6, 6), (7, 4))


def signal(shape, sizes=(3.0, 1.5)):
    """S of the first singular values, on vectors that are no axes."""
    generator = np.random.default_rng(7)
    left, right = (np.linalg.qr(generator.standard_normal((k, len(sizes))))[0] for k in shape)
    return left * np.array(sizes) @ right.T


def noises(law, size):
    generator = np.random.default_rng(11)
    if law == "Gaussian":
        return generator.standard_normal(size)
    if law == "heavy":
        return generator.standard_t(1.5, size)
    if law == "signs":
        return generator.choice([-1.0, 1.0], size)
    white = generator.standard_normal((size[0] + 1, *size[1:]))
    return white[1:] + 0.6 * white[:-1]  # "moving average"


def recorded(shape, count=60, law="Gaussian", turn=0.0, sigma=0.4):
    """(K, m, n): left vectors turn by `turn` a step in the plane of the first two axes."""
    still, out = signal(shape), []
    for t in range(count):
        turned = np.eye(shape[0])
        turned[:2, :2] = [[np.cos(turn * t), -np.sin(turn * t)], [np.sin(turn * t), np.cos(turn * t)]]
        out.append(turned @ still)
    return np.array(out) + sigma * noises(law, (count, *shape))


def safetensors(gradients):
    """The bytes of a .safetensors file with these float32 gradients in it."""
    about = {"dtype": "F32", "shape": list(gradients.shape), "data_offsets": [0, gradients.nbytes]}
    header = json.dumps({"one": about}).encode()
    return struct.pack("<Q", len(header)) + header + gradients.astype("<f4").tobytes()
