"""The accurate tier of sentiment: a multilingual transformer, an English one beside it, and the fast tier.

Their log-probabilities are added, each with a weight. A text goes through a network alone and without
padding: activations are scaled to eight bits by what stands in a run, so that neighbours would count.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as refused
from tokenizers import Tokenizer

from analysis.pieces import cut, in_english_words, not_shouting, says_something, unigram, unpack, wordpiece
from analysis.sentiment_model import LABELS, Floats, ModelError, Opinion, softmax
from data import shipped

FOLDER = shipped("models")
SETTINGS = "accurate.json"
ENGLISH = "en"
FORMAT = 2
WORDS_SHOWN = 3
WORDS_TRIED = 60  # the words of a text that are left out in turn to find the telling ones
_DAMAGED = (
    *(OSError, ValueError, KeyError, TypeError, IndexError, EOFError, zipfile.BadZipFile),
    *(refused.Fail, refused.InvalidGraph, refused.InvalidProtobuf, refused.NotImplemented),
)


@dataclass(frozen=True, slots=True)
class Voice:
    """What the log-probabilities of each model weigh, and the bias of each label.

    An answer is sure from the probability on that ``sure_from`` has for its label.
    """

    multilingual: float
    english: float
    fast: float
    bias: Floats
    sure_from: Floats


@dataclass(frozen=True, slots=True)
class Network:
    """An encoder: ``words`` has a row of packed 4-bit weights a piece, ``places`` a row a position."""

    tokenizer: Tokenizer
    words: NDArray[np.uint8]
    places: NDArray[np.float32]
    session: onnxruntime.InferenceSession
    prepare: Callable[[str], str]

    def log_chances(self, texts: Iterable[str]) -> Floats:
        """The log-probabilities of each text, (texts, 3)."""
        pieces = cut(self.tokenizer, [self.prepare(text) for text in texts])
        odds = np.zeros((len(pieces), len(LABELS)))
        for number, row in enumerate(pieces):
            words = unpack(self.words[row]) + self.places[: len(row)]
            odds[number] = self.session.run(None, {"words": words[None]})[0][0]
        return log_softmax(odds)


@dataclass(frozen=True, slots=True)
class Accurate:
    """``english`` is for texts in English beside the multilingual network; ``voices`` weigh them all."""

    multilingual: Network
    english: Network
    in_english: Voice
    elsewhere: Voice
    version: str

    def judge(
        self, texts: Sequence[str], fast: Sequence[Opinion], languages: Sequence[str | None]
    ) -> list[Opinion]:
        """An opinion on each reading text, given the fast tier's and the text's language.

        Each stands alone: its neighbours change nothing. ``words`` are the fast tier's where it agrees. Where
        there is nothing to read, the fast tier's opinion stays.
        """
        opinions = []
        chances = self.chances(texts, fast, languages)
        for text, row, before, language in zip(texts, chances, fast, languages, strict=True):
            if not says_something(text):
                opinions.append(before)
                continue
            best = int(row.argmax())
            label = LABELS[best]
            negative, neutral, positive = row.tolist()
            sure = bool(row[best] >= self._voice(language).sure_from[best])
            words = before.words if label == before.label else ()
            opinions.append(Opinion(label, (negative, neutral, positive), sure, words))
        return opinions

    def chances(
        self, texts: Sequence[str], fast: Sequence[Opinion], languages: Sequence[str | None]
    ) -> Floats:
        """Three probabilities a text, in the order of LABELS."""
        english = [number for number, language in enumerate(languages) if language == ENGLISH]
        third = np.zeros((len(texts), len(LABELS)))
        third[english] = self.english.log_chances(texts[number] for number in english)
        first = np.array([opinion.probabilities for opinion in fast]).reshape(len(texts), len(LABELS))
        parts = (self.multilingual.log_chances(texts), third, log_chances(first))
        scores = [
            voice.multilingual * a + voice.english * b + voice.fast * c + voice.bias
            for voice, a, b, c in zip(map(self._voice, languages), *parts, strict=True)
        ]
        return softmax(np.array(scores).reshape(len(texts), len(LABELS)))

    def telling(self, text: str, fast: Opinion, language: str | None) -> tuple[tuple[str, float], ...]:
        """The words without which the label of a text would be least likely, and how much each adds to it.

        One run of the networks a word: for one post that somebody asks about. None where there is nothing to
        read, and the answer the fast tier's.
        """
        if not says_something(text):
            return ()
        words = text.split()[:WORDS_TRIED]
        versions = [text, *(" ".join(words[:at] + words[at + 1 :]) for at in range(len(words)))]
        same = [fast] * len(versions)
        found = self.chances(versions, same, [language] * len(versions))
        label = int(found[0].argmax())
        lost = found[0, label] - found[1:, label]
        order = np.argsort(-lost, kind="stable")[:WORDS_SHOWN].tolist()
        return tuple((words[at], round(float(lost[at]), 3)) for at in order if lost[at] > 0.01)

    def _voice(self, language: str | None) -> Voice:
        return self.in_english if language == ENGLISH else self.elsewhere


@cache
def load(folder: Path = FOLDER) -> Accurate:
    """Read the model. Raises ModelError, which says what to do."""
    written = _settings(folder / SETTINGS)
    try:
        files, voices = written["files"], written["voices"]
        content = {name: _checked(folder / name, digest) for name, digest in files.items()}
        return Accurate(
            network(content["accurate.npz"], content["accurate.onnx"]),
            network(content["accurate-en.npz"], content["accurate-en.onnx"]),
            _voice(voices["en"]),
            _voice(voices["other"]),
            hashlib.sha256(json.dumps(written, sort_keys=True).encode()).hexdigest()[:8],
        )
    except _DAMAGED as error:
        raise ModelError(f"{SETTINGS}: the accurate sentiment model is damaged ({error})") from error


def log_chances(chances: Floats) -> Floats:
    """Probabilities as logarithms, none lower than that of one in a million."""
    logs: Floats = np.log(np.maximum(chances, 1e-6))
    return logs


def log_softmax(odds: Floats) -> Floats:
    """Log-odds, a row a text, as log-probabilities that ``log_chances`` would give."""
    return log_chances(softmax(odds))


def _settings(path: Path) -> dict[str, Any]:
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        version = written["format"]
    except FileNotFoundError as error:
        raise _missing(path) from error
    except _DAMAGED as error:
        raise ModelError(f"{path.name}: the accurate sentiment model is damaged ({error})") from error
    if version != FORMAT:
        raise ModelError(
            f"{path.name}: the accurate sentiment model belongs to another version of this program"
        )
    found: dict[str, Any] = written
    return found


def _missing(path: Path) -> ModelError:
    return ModelError(f"{path.name}: the accurate sentiment model is missing; `make train` rebuilds it")


def _checked(path: Path, digest: str) -> bytes:
    """The content of a file, which must be the one that the settings were written for."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise _missing(path) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise ModelError(
            f"{path.name}: the accurate sentiment model is damaged: it is not the file that "
            f"{SETTINGS} names; `make train` rebuilds both"
        )
    return content


def network(pieces_file: bytes, graph: bytes) -> Network:
    """A network from the content of its two files."""
    with np.load(io.BytesIO(pieces_file), allow_pickle=False) as arrays:
        pieces = bytes(arrays["pieces"]).decode().split("\n")
        words, places = arrays["words"], arrays["places"].astype(np.float32)
        scores = arrays["scores"].tolist() if "scores" in arrays else None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # What goes beyond is slower here: it joins a sum and a norm into one node that is not vectorised.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = onnxruntime.InferenceSession(graph, options, ["CPUExecutionProvider"])
    if scores is None:
        return Network(wordpiece(pieces), words, places, session, in_english_words)
    return Network(unigram(pieces, scores), words, places, session, not_shouting)


def _voice(written: dict[str, Any]) -> Voice:
    return Voice(
        float(written["multilingual"]),
        float(written["english"]),
        float(written["fast"]),
        np.array(written["bias"], dtype=np.float64),
        np.array(written["sure_from"], dtype=np.float64),
    )
