"""Tuning an encoder for sentiment, on one thread. Only ``make train`` has torch."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from analysis.pieces import LONGEST
from training.labelled import SEED
from training.network import DROPOUT, Encoder
from training.pretrained import Floats, Pretrained

BATCH = 32
SORTED = 64 * BATCH  # texts of like length are put together within so many
SMOOTHING = 0.1
WARM_UP = 200  # steps
FARTHER_DOWN = 0.95  # of the learning rate of the layer above
TOLD = 100  # steps between two lines of progress

Texts = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """``frozen``: the lowest layers that stay as they are, with the vectors of the pieces; 0 tunes all.

    The learning rate of the highest layer falls from ``rate`` to ``last``.
    """

    frozen: int
    rate: float
    last: float
    seed: int


class Tuning:
    """An encoder and the vectors of its pieces, on the way from a language model to a judge of sentiment.

    ``answers`` are 0 to 2 and ``weights`` a factor of the loss, for each text. What comes out is the mean of
    what stood after each round but the first: it errs less than what stands after the last.
    """

    def __init__(
        self, source: Pretrained, words: Floats, answers: NDArray[np.int64], weights: Floats
    ) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(SEED)
        self.net = Encoder(source, LONGEST)
        self.table = nn.Embedding.from_pretrained(torch.tensor(words), sparse=True)
        self.answers, self.weights = torch.tensor(answers), torch.tensor(weights)
        self.rounds = 0
        self.sums: dict[str, Tensor] = {}

    def words(self) -> Floats:
        """The vectors of the pieces."""
        vectors: Floats = self.table.weight.detach().numpy()
        return vectors

    def state(self) -> dict[str, Floats]:
        """The other weights, by their names in ``training.network``."""
        return {name: array.numpy() for name, array in self.net.state_dict().items()}

    @torch.no_grad()
    def highest(self, texts: Texts) -> dict[str, Floats]:
        """The highest absolute value of each input of a layer's products, over some texts, by its name."""
        self.net.eval()
        found: dict[str, Tensor] = {}

        def look(name: str, x: Tensor) -> None:
            here = x.abs().amax((0, 1))
            found[name] = torch.maximum(found[name], here) if name in found else here

        hooks = [
            module.register_forward_pre_hook(lambda _, inputs, name=name: look(name, inputs[0]))
            for name, module in self.net.layers.named_modules(prefix="layers")
            if isinstance(module, nn.Linear)
        ]
        for text in texts:
            self.net(self.table(torch.tensor(text))[None])
        for hook in hooks:
            hook.remove()
        return {name: values.numpy() for name, values in found.items()}

    def tune(self, texts: Texts, rounds: Sequence[NDArray[np.int64]], recipe: Recipe) -> None:
        """Go through the texts that each round lists. Texts are numbers of pieces: rows of the vectors."""
        torch.manual_seed(recipe.seed)
        chance = np.random.default_rng(recipe.seed)
        self.table.weight.requires_grad_(not recipe.frozen)
        needed = np.unique(np.concatenate(list(rounds)))
        states = self._states(texts, needed, recipe.frozen) if recipe.frozen else None
        groups = _groups(self.net, recipe)
        optimizers: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, weight_decay=0.01, fused=True)]
        if not recipe.frozen:
            optimizers.append(torch.optim.SparseAdam(self.table.parameters(), lr=groups[-1]["lr"]))
        tuned = [parameter for group in groups for parameter in group["params"]]
        steps = sum(-(-len(rows) // BATCH) for rows in rounds)
        pace = _pace(steps, recipe.last / recipe.rate)
        schedules = [torch.optim.lr_scheduler.LambdaLR(optimizer, pace) for optimizer in optimizers]
        self.net.train()
        done, began, total = 0, time.monotonic(), 0.0
        for rows in rounds:
            for batch in _batches(rows, texts, chance):
                loss = self._loss(batch, texts, states, recipe.frozen)
                loss.backward()
                nn.utils.clip_grad_norm_(tuned, 1.0)
                for optimizer, schedule in zip(optimizers, schedules, strict=True):
                    optimizer.step()
                    optimizer.zero_grad(set_to_none=True)
                    schedule.step()
                done, total = done + 1, total + loss.item()
                if done % TOLD == 0:
                    each = (time.monotonic() - began) / done
                    sys.stderr.write(f"step {done} of {steps}, {each:.2f} s each, loss {total / TOLD:.3f}\n")
                    total = 0.0
            self._remember()

    @torch.no_grad()
    def _remember(self) -> None:
        self.rounds += 1
        if self.rounds > 1:
            for name, array in self._arrays().items():
                self.sums[name] = self.sums[name] + array if name in self.sums else array.clone()

    @torch.no_grad()
    def average(self) -> None:
        """Take the mean over the rounds; the end of tuning."""
        for name, array in self._arrays().items():
            array.copy_(self.sums[name] / (self.rounds - 1))

    def _arrays(self) -> dict[str, Tensor]:
        return {**self.net.state_dict(), "words": self.table.weight.detach()}

    def _loss(self, batch: list[int], texts: Texts, states: dict[int, Tensor] | None, frozen: int) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            if states is None:
                x, mask = padded([self.table(torch.tensor(texts[row])) for row in batch])
                x = functional.dropout(self.net.lower(x, 0, mask), DROPOUT)
            else:
                x, mask = padded([states[row].float() for row in batch])
            odds = self.net.upper(x, frozen, mask)
        lost = functional.cross_entropy(
            odds.float(), self.answers[batch], reduction="none", label_smoothing=SMOOTHING
        )
        return (lost * self.weights[batch]).mean()

    @torch.no_grad()
    def _states(self, texts: Texts, rows: NDArray[np.int64], layers: int) -> dict[int, Tensor]:
        """What the frozen layers make of these texts: the same in every round, so it is done once."""
        self.net.eval()
        order = sorted(rows.tolist(), key=lambda row: len(texts[row]))
        states = {}
        for start in range(0, len(order), 64):
            batch = order[start : start + 64]
            x, mask = padded([self.table(torch.tensor(texts[row])) for row in batch])
            with torch.autocast("cpu", torch.bfloat16):
                x = self.net.lower(x, layers, mask)
            for row, state in zip(batch, x, strict=True):
                states[row] = state[: len(texts[row])].half()
        return states


def padded(states: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Texts of pieces, (pieces, size), as one array, and the mask that hides what was added."""
    x = nn.utils.rnn.pad_sequence(list(states), batch_first=True)
    mask = torch.zeros(len(states), 1, 1, x.shape[1])
    for number, state in enumerate(states):
        mask[number, :, :, len(state) :] = -1e9
    return x, mask


def _pace(steps: int, last: float) -> Callable[[int], float]:
    """The factor of the learning rate at a step: it rises at first, then falls evenly to ``last``."""
    return lambda step: min(step / WARM_UP, 1 - (1 - last) * step / steps)


def _groups(net: Encoder, recipe: Recipe) -> list[dict[str, Any]]:
    """The parameters that are tuned, each layer with its learning rate; the vectors of pieces go apart."""
    groups: list[dict[str, Any]] = [{"params": list(net.head.parameters()), "lr": 10 * recipe.rate}]
    rate = recipe.rate
    for layer in reversed(net.layers[recipe.frozen :]):
        groups.append({"params": list(layer.parameters()), "lr": rate})
        rate *= FARTHER_DOWN
    if not recipe.frozen:
        groups.append({"params": [net.places, *net.norm.parameters()], "lr": rate})
    return groups


def _batches(rows: NDArray[np.int64], texts: Texts, chance: np.random.Generator) -> Iterator[list[int]]:
    """The texts of a round in chance order, but those of like length together."""
    order = chance.permutation(rows)
    batches = []
    for start in range(0, len(order), SORTED):
        part = sorted(order[start : start + SORTED].tolist(), key=lambda row: len(texts[row]))
        batches += [part[at : at + BATCH] for at in range(0, len(part), BATCH)]
    for number in chance.permutation(len(batches)).tolist():
        yield batches[number]
