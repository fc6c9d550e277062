"""The packed encoder in PyTorch: the 4-bit weights stay, the scales of their blocks, biases and norms learn.

Tuning scales alone (PEQA, Kim et al. 2023) needs no second rounding: what was learned is what the engine runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from texts.packed import BLOCK, BLOCK_WEIGHTS, Layout

FROZEN = 4
"""Layers that stay as they are: the lowest know letters and words, and need no backward pass."""


class Packed(nn.Module):
    """A linear layer of Q4_0 blocks. Learns `change`, shape (out, blocks): scale = given * (1 + change), and bias."""

    nibbles: Tensor
    scale: Tensor

    def __init__(self, blocks: Any, bias: Any, inputs: int) -> None:
        super().__init__()
        rows = blocks.reshape(-1, inputs // BLOCK_WEIGHTS)
        low, high = rows["nibbles"] & 15, rows["nibbles"] >> 4
        weights = np.concatenate([low, high], axis=-1).astype(np.int8) - 8
        self.register_buffer("nibbles", torch.from_numpy(weights).to(torch.bfloat16))  # -8 to 7: exact
        self.register_buffer("scale", torch.from_numpy(rows["scale"].astype(np.float32)))
        self.change = nn.Parameter(torch.zeros_like(self.scale))
        self.bias = nn.Parameter(torch.from_numpy(bias.copy()))

    def scales(self) -> Tensor:
        return self.scale * (1 + self.change)

    def forward(self, x: Tensor) -> Tensor:
        kind = torch.bfloat16 if torch.is_autocast_enabled("cpu") else x.dtype
        weight = (self.nibbles.to(kind) * self.scales().to(kind)[..., None]).flatten(1)
        return F.linear(x.to(kind), weight, self.bias.to(kind))


class Layer(nn.Module):
    """One block of the transformer, after-norm as in BERT."""

    def __init__(self, parts: dict[str, Any], width: int, forward_width: int, heads: int, epsilon: float) -> None:
        super().__init__()
        self.q, self.k, self.v, self.ao, self.fi = (
            Packed(parts[f"{name}.w"], parts[f"{name}.b"], width) for name in ("q", "k", "v", "ao", "fi")
        )
        self.fo = Packed(parts["fo.w"], parts["fo.b"], forward_width)
        self.aln, self.oln = (_norm(parts[f"{name}.w"], parts[f"{name}.b"], epsilon) for name in ("aln", "oln"))
        self.heads = heads

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, length, width = x.shape

        def split(part: Tensor) -> Tensor:
            return part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

        # Written out: for texts this short the fused attention's backward takes a third of the step.
        near = split(self.q(x)) @ split(self.k(x)).transpose(2, 3) / (width // self.heads) ** 0.5
        found = (near + mask).softmax(-1).to(near.dtype) @ split(self.v(x))
        x = self.aln(x + self.ao(found.transpose(1, 2).reshape(batch, length, width)))
        return self.oln(x + self.fo(F.gelu(self.fi(x))))


class Encoder(nn.Module):
    """Token ids to unit vectors, shape (batch, 384), as the engine makes them (mean of the tokens, length one)."""

    word: Tensor
    places: Tensor

    def __init__(self, data: bytes, layout: Layout) -> None:
        super().__init__()

        def read(name: str) -> Any:
            tensor = layout.tensors[name]
            kind = BLOCK if tensor.is_q4 else np.dtype("<f4")
            return np.frombuffer(data, kind, tensor.size // kind.itemsize, tensor.offset)

        rows = read("emb.word").reshape(-1, layout.hidden // BLOCK_WEIGHTS)
        self._rows = rows
        self.register_buffer(
            "places", torch.from_numpy(read("emb.pos").reshape(-1, layout.hidden) + read("emb.type")[: layout.hidden])
        )
        self.norm = _norm(read("emb.ln.w"), read("emb.ln.b"), layout.epsilon)
        names = ("q", "k", "v", "ao", "aln", "fi", "fo", "oln")
        self.layers = nn.ModuleList(
            Layer(
                {f"{name}.{end}": read(f"l{i}.{name}.{end}") for name in names for end in "wb"},
                layout.hidden, layout.feed_forward, layout.heads, layout.epsilon,
            )
            for i in range(layout.layers)
        )  # fmt: skip

    def embed_words(self, ids: Tensor) -> Tensor:
        """Word vectors of the ids used, read from their blocks."""
        rows = self._rows[ids.numpy().reshape(-1)]
        low, high = rows["nibbles"] & 15, rows["nibbles"] >> 4
        weights = (np.concatenate([low, high], axis=-1).astype(np.float32) - 8) * rows["scale"].astype(np.float32)[
            ..., None
        ]
        return torch.from_numpy(weights.reshape(*ids.shape, -1))

    def forward(self, ids: Tensor, there: Tensor, drop: float = 0.0) -> Tensor:
        x = self.norm(self.embed_words(ids) + self.places[: ids.shape[1]])
        x = F.dropout(x, drop, self.training)
        mask = torch.where(there, 0.0, -1e4)[:, None, None, :]
        for layer in self.layers[:FROZEN]:
            with torch.no_grad():
                x = layer(x, mask)
        for layer in self.layers[FROZEN:]:
            x = layer(x, mask)
        x = x.float()
        return F.normalize((x * there[..., None]).sum(1) / there.sum(1, keepdim=True), dim=-1)


def _norm(weight: Any, bias: Any, epsilon: float) -> nn.LayerNorm:
    norm = nn.LayerNorm(len(weight), eps=epsilon)
    norm.weight.data = torch.from_numpy(weight.copy())
    norm.bias.data = torch.from_numpy(bias.copy())
    return norm
