"""A tuned encoder as an int8 ONNX graph, node by node, for onnxruntime's processor of BERT layers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from training.pretrained import HEADS, Floats

OPSET, IR = 17, 8
#: Seven bits: a processor without VNNI adds two products in 16 bits, and eight bits would overflow there.
HIGHEST = 63
#: The inputs that are made even before they are quantised, and how many of their values are left as they are:
#: a few are a hundred times the others, and one scale a run would leave nothing of these.
UNEVEN = {"qkv": 0, "fi": 8, "fo": 32}
EVEN = 0.8  # how far: 0 leaves all to the input, 1 all to the weights
_ORT = "com.microsoft"


def whole_numbers(weights: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Weights, (in, out), as whole numbers of seven bits and a scale for each column."""
    scales = np.maximum(np.abs(weights).max(axis=0), 1e-9) / HIGHEST
    return np.rint(weights / scales).astype(np.int8), scales.astype(np.float32)


def evened(weights: Floats, highest: Floats) -> tuple[Floats, Floats]:
    """Factors by which the values of an input are divided, and the weights, (in, out), multiplied by them."""
    of_weights = np.maximum(np.abs(weights).max(axis=1), 1e-3)
    factors = np.maximum(highest, 1e-3) ** EVEN / of_weights ** (1 - EVEN)
    factors = (factors / np.exp(np.log(factors).mean())).astype(np.float32)
    return factors, weights * factors[:, None]


def graph(
    state: Mapping[str, Floats], highest: Mapping[str, Floats], layers: int, epsilon: float
) -> ModelProto:
    """The graph of ``training.network.Encoder`` behind its places: ``words`` (1, n, size) to ``odds`` (1, 3).

    ``highest`` are the highest values of each product's input, as seen in training. An input is quantised
    with one scale, so that a run must hold one text alone.
    """
    built = _Builder(state, highest, epsilon)
    x = built.norm("words", "norm")
    for number in range(layers):
        name = f"layers.{number}"
        parts = [f"{name}.{part}" for part in "qkv"]
        built.add("Split", [built.product(x, f"{name}.qkv")], parts, axis=-1)
        seen = built.add("MultiHeadAttention", parts, [f"{name}.seen"], _ORT, num_heads=HEADS)
        x = built.norm(built.sum(x, built.product(seen, f"{name}.ao")), f"{name}.aln")
        grown = built.add("Gelu", [built.product(x, f"{name}.fi")], [f"{name}.grown"], _ORT)
        x = built.norm(built.sum(x, built.product(grown, f"{name}.fo")), f"{name}.oln")
    mean = built.add("ReduceMean", [x], ["mean"], axes=[1], keepdims=0)
    head = [mean, built.given("head.weight"), built.given("head.bias")]
    built.add("Gemm", head, ["odds"], transB=1)
    size = len(state["norm.weight"])
    made = helper.make_graph(
        built.nodes,
        "sentiment",
        [helper.make_tensor_value_info("words", TensorProto.FLOAT, [1, "pieces", size])],
        [helper.make_tensor_value_info("odds", TensorProto.FLOAT, [1, 3])],
        built.weights,
    )
    sets = [helper.make_opsetid("", OPSET), helper.make_opsetid(_ORT, 1)]
    model = helper.make_model(made, opset_imports=sets, ir_version=IR, producer_name="backchannel")
    checker.check_model(model)
    return model


class _Builder:
    """Collects the nodes and weights of a graph."""

    def __init__(self, state: Mapping[str, Floats], highest: Mapping[str, Floats], epsilon: float) -> None:
        self.state, self.highest, self.epsilon = state, highest, epsilon
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def add(
        self, kind: str, inputs: list[str], outputs: list[str], domain: str = "", **attributes: object
    ) -> str:
        """A node; returns the name of its first output."""
        self.nodes.append(helper.make_node(kind, inputs, outputs, domain=domain, **attributes))
        return outputs[0]

    def weight(self, name: str, array: NDArray[np.generic]) -> str:
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def given(self, name: str) -> str:
        return self.weight(name, self.state[name])

    def product(self, x: str, name: str) -> str:
        """``x`` times a weight, and its bias: in whole numbers but for the few values that are apart."""
        weights = np.array(self.state[f"{name}.weight"].T)
        apart = UNEVEN.get(name.rpartition(".")[2])
        if apart is None:
            return self.quantised(x, weights, name, name)
        factors, even = evened(weights, self.highest[name])
        few = np.sort(np.argsort(-self.highest[name] / factors, kind="stable")[:apart])
        inverse = 1 / factors
        inverse[few], even[few] = 0, 0
        divided = self.add("Mul", [x, self.weight(f"{name}.even", inverse)], [f"{name}.divided"])
        if not apart:
            return self.quantised(divided, even, name, name)
        main = self.quantised(divided, even, name, f"{name}.main")
        chosen = [x, self.weight(f"{name}.few", few.astype(np.int64))]
        values = self.add("Gather", chosen, [f"{name}.values"], axis=2)
        others = [values, self.weight(f"{name}.apart", weights[few])]
        return self.add("Add", [main, self.add("MatMul", others, [f"{name}.others"])], [name])

    def quantised(self, x: str, weights: Floats, name: str, out: str) -> str:
        whole, scales = whole_numbers(weights)
        inputs = [
            x,
            self.weight(f"{name}.weight", whole),
            self.weight(f"{name}.scale", scales),
            self.weight(f"{name}.zero", np.zeros(len(scales), np.int8)),
            self.given(f"{name}.bias"),
        ]
        return self.add("DynamicQuantizeMatMul", inputs, [out], _ORT)

    def norm(self, x: str, name: str) -> str:
        inputs = [x, self.given(f"{name}.weight"), self.given(f"{name}.bias")]
        return self.add("LayerNormalization", inputs, [name], axis=-1, epsilon=self.epsilon)

    def sum(self, x: str, y: str) -> str:
        return self.add("Add", [x, y], [f"{y}.sum"])
