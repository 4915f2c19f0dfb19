"""The recorder for PyTorch against gradients that torch itself holds."""

import textwrap

import numpy as np
import pytest

import spikesim as ss
from spikesim.recorded import opened

torch = pytest.importorskip("torch", "2.9", reason="needs torch: make references")

torch.set_num_threads(1)
STEPS = 6


class Small(torch.nn.Module):
    def __init__(self, dtype=torch.float32):
        super().__init__()
        torch.manual_seed(0)
        self.conv = torch.nn.Conv2d(1, 3, 2, dtype=dtype)
        self.norm = torch.nn.LayerNorm(12, dtype=dtype)
        self.out = torch.nn.Linear(12, 5, dtype=dtype)

    def forward(self, x):
        return self.out(self.norm(self.conv(x).flatten(1)))


def loss(model, batch):
    return (model(batch) ** 2).sum()


def batches(dtype=torch.float32):
    return torch.randn(STEPS, 4, 1, 3, 3, generator=torch.Generator().manual_seed(1)).to(dtype)


def gradients(recorder, model, dtype, every):
    """As a training loop has them; what the recorder should have."""
    optimizer, seen = torch.optim.SGD(model.parameters(), lr=0.1), []
    for i, batch in enumerate(batches(dtype)):
        optimizer.zero_grad()
        loss(model, batch).backward()
        if i % every == 0:
            seen.append({name: p.grad.clone().float().numpy() for name, p in model.named_parameters()})
        recorder.step()
        optimizer.step()
    return seen


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("every", [1, 4])
def test_recorded_gradients_are_torchs(tmp_path, dtype, every):
    model = Small(dtype)
    with ss.TorchRecorder(model, tmp_path, every=every, flatten=True) as recorder:
        seen = gradients(recorder, model, dtype, every)
    assert sorted(recorder.paths) == ["conv.weight", "out.weight"]
    for name, path in recorder.paths.items():
        expected = np.stack([x[name].reshape(len(x[name]), -1) for x in seen])
        with opened(path) as recording:
            np.testing.assert_array_equal(recording.take(range(len(recording))), expected)
        assert expected.any(axis=(1, 2)).all()


def test_the_example(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = Small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    code = textwrap.dedent(ss.TorchRecorder.__doc__.split("\n\n")[1]).replace("every=10", "every=2")
    exec(
        code, {"TorchRecorder": ss.TorchRecorder, "model": model, "optimizer": optimizer, "batches": batches(), "loss": loss}
    )
    assert np.load("gradients/out.weight.npy").shape == (STEPS // 2, 5, 12)


def test_tensors_are_gradients():
    """On the CPU, and not waiting to be differentiated."""
    stack = torch.randn(5, 3, 4)
    for source in stack, iter(stack):
        np.testing.assert_array_equal(opened(source).take(range(5)), stack.numpy())
    with pytest.raises(ValueError, match="need gradients that NumPy can read, got step=0, reason="):
        opened([stack[0].requires_grad_()])


def test_safetensors_that_torch_wrote(tmp_path):
    written = pytest.importorskip("safetensors.torch", reason="needs safetensors")
    stack = torch.randn(5, 3, 4)
    for dtype in torch.float64, torch.float32, torch.float16, torch.bfloat16:
        expected = stack.to(dtype)
        for tensors in {"g": expected, "w": expected[0].clone()}, {f"g.{i}": x.clone() for i, x in enumerate(expected)}:
            written.save_file(tensors, tmp_path / "a.safetensors", {"format": "pt"})
            with opened(tmp_path / "a.safetensors") as recording:
                np.testing.assert_array_equal(recording.take(range(5)), expected.to(torch.float64).numpy())
