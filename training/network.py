"""The encoder that is tuned for sentiment, in torch. Only ``make train`` has torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.pretrained import HEADS, Pretrained

DROPOUT = 0.1
LABELS = 3


class Layer(nn.Module):
    """One layer of BERT; query, key and value are one product."""

    def __init__(self, size: int, inner: int, epsilon: float) -> None:
        super().__init__()
        self.qkv = nn.Linear(size, 3 * size)
        self.ao = nn.Linear(size, size)
        self.aln = nn.LayerNorm(size, epsilon)
        self.fi = nn.Linear(size, inner)
        self.fo = nn.Linear(inner, size)
        self.oln = nn.LayerNorm(size, epsilon)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """``x`` is (texts, pieces, size); ``mask`` (texts, 1, 1, pieces) is added to the attention."""
        texts, pieces, size = x.shape
        split = self.qkv(x).view(texts, pieces, 3, HEADS, size // HEADS).permute(2, 0, 3, 1, 4)
        weights = split[0] @ split[1].transpose(-1, -2) * (size // HEADS) ** -0.5
        if mask is not None:
            weights = weights + mask.to(weights.dtype)
        seen = weights.softmax(-1, dtype=weights.dtype) @ split[2]
        seen = seen.transpose(1, 2).reshape(texts, pieces, size)
        x = self.aln(x + functional.dropout(self.ao(seen), DROPOUT, self.training))
        grown = self.fo(functional.gelu(self.fi(x)))
        out: Tensor = self.oln(x + functional.dropout(grown, DROPOUT, self.training))
        return out


class Encoder(nn.Module):
    """Vectors of pieces in, three log-odds out: the mean over the pieces goes through one linear layer."""

    def __init__(self, source: Pretrained, longest: int) -> None:
        super().__init__()
        size, inner = source.words.shape[1], len(source.weights["l0.fi.b"])
        places = source.weights["pos"][:longest] + source.weights["type"][0]
        self.places = nn.Parameter(torch.tensor(places))
        self.norm = nn.LayerNorm(size, source.epsilon)
        self.layers = nn.ModuleList(Layer(size, inner, source.epsilon) for _ in range(source.layers))
        self.head = nn.Linear(size, LABELS)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        self._fill(source)

    def _fill(self, source: Pretrained) -> None:
        state = self.state_dict()
        given = {name: torch.tensor(array) for name, array in source.weights.items()}
        state["norm.weight"], state["norm.bias"] = given["ln.w"], given["ln.b"]
        for layer in range(source.layers):
            for end, kind in (("w", "weight"), ("b", "bias")):
                three = [given[f"l{layer}.{name}.{end}"] for name in "qkv"]
                state[f"layers.{layer}.qkv.{kind}"] = torch.cat(three)
                for name in ("ao", "aln", "fi", "fo", "oln"):
                    state[f"layers.{layer}.{name}.{kind}"] = given[f"l{layer}.{name}.{end}"]
        self.load_state_dict(state)

    def lower(self, words: Tensor, layers: int, mask: Tensor | None = None) -> Tensor:
        """The state after the first ``layers`` layers."""
        x: Tensor = self.norm(words + self.places[: words.shape[1]])
        for layer in self.layers[:layers]:
            x = layer(x, mask)
        return x

    def upper(self, x: Tensor, layers: int, mask: Tensor | None = None) -> Tensor:
        """The log-odds, (texts, 3), from the state after the first ``layers`` layers."""
        for layer in self.layers[layers:]:
            x = layer(x, mask)
        if mask is None:
            mean = x.mean(1)
        else:
            there = (mask[:, 0, 0, :, None] == 0).to(x.dtype)
            mean = (x * there).sum(1) / there.sum(1)
        mean = functional.dropout(mean, DROPOUT, self.training)
        odds: Tensor = self.head(mean)
        return odds

    def forward(self, words: Tensor) -> Tensor:
        """The log-odds of texts without padding: what is exported."""
        return self.upper(self.lower(words, 0), 0)
