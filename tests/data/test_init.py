"""Where shipped files are, and that none is too large or a pickle."""

from __future__ import annotations

from data import shipped


def test_models_are_shipped_each_with_a_card() -> None:
    models = [path for path in shipped("models").iterdir() if path.suffix != ".md"]
    assert models
    for model in models:
        assert model.suffix in {".npz", ".onnx", ".safetensors", ".json"}
        card = model.stem.split("-")[0]  # one for all the parts of a model
        assert shipped("models", f"{card}.md").is_file(), f"{model.name} has no card"
        assert model.stat().st_size < 45_000_000
    assert sum(model.stat().st_size for model in models) < 60_000_000


def test_a_path_need_not_exist() -> None:
    assert shipped("models", "none.npz").parent == shipped("models")
