"""The sentence model as one ONNX graph with 8-bit weights: token ids in, a unit vector out.

One text a run: no padding, no mask, and a text's vector does not depend on its neighbours. Activations are quantised on
the fly, with one scale a tensor as ONNX Runtime does; where rows differ most, each is divided by its largest value.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from rag_manager.models.forward import EPSILON
from rag_manager.models.weights import HEADS, LAYERS, WIDTH, Tensors

VENDOR = "com.microsoft"  # fused operators that the CPU runtime has and the standard lacks
OPSET = 17
IR_VERSION = 8

TABLE_LIMIT = 127  # looked up, never multiplied in 8 bits
MATRIX_LIMIT = (
    63  # 7 bits: with 8, processors without VNNI overflow when they add two products of an unsigned and a signed byte
)


def quantise(
    matrix: NDArray[np.float32], axis: int, limit: int = TABLE_LIMIT
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return integers in [-limit, limit] and scales, one for each slice along `axis`: `matrix ≈ integers * scales`."""
    largest = np.abs(matrix).max(axis=axis, keepdims=True)
    scales = np.where(largest > 0, largest, 1).astype(np.float32) / np.float32(limit)
    return np.rint(matrix / scales).astype(np.int8), scales


def build_graph(tensors: Tensors) -> onnx.ModelProto:
    """Return the model: input `ids` int64 (1, tokens), output `vector` float32 (1, 384) of length 1."""
    graph = _Graph(tensors)
    hidden = _embeddings(graph)
    for number in range(LAYERS):
        hidden = _layer(graph, f"encoder.layer.{number}", hidden)
    graph.node("ReduceMean", [hidden], "pooled", axes=[1], keepdims=0)
    graph.node("LpNormalization", ["pooled"], "vector", axis=-1, p=2)
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "all-minilm-l6-v2",
            [helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "tokens"])],
            [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, WIDTH])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(VENDOR, 1)],
        ir_version=IR_VERSION,
        producer_name="repostream",
    )


class _Graph:
    """A graph in the making: nodes in order, and the constants they use."""

    def __init__(self, tensors: Tensors) -> None:
        self.tensors = tensors
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        """Add a constant; return its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:  # noqa: ANN401 - what an attribute may be depends on the operator
        """Add a node with one output; return the output's name."""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def dense(self, name: str, values: str) -> str:
        """Add `values @ weight + bias`."""
        weight, scales = quantise(self.tensors[f"{name}.weight"].T, 0, MATRIX_LIMIT)
        inputs = [values, self.constant(f"{name}.weight", weight), self.constant(f"{name}.scale", scales[0]), ""]
        return self.node("DynamicQuantizeMatMul", [*inputs, self._bias(name)], name, VENDOR)

    def dense_by_row(self, name: str, values: str) -> str:
        """Add `values @ weight + bias`, each row of `values` divided by its largest value before it is quantised."""
        weight, scales = quantise(self.tensors[f"{name}.weight"].T, 0, MATRIX_LIMIT)
        size = self.node("Abs", [values], f"{name}.size")
        largest = self.node("ReduceMax", [size], f"{name}.largest", axes=[-1], keepdims=1)
        inputs = [self.node("Div", [values, largest], f"{name}.rows")]
        inputs += [self.constant(f"{name}.weight", weight), self.constant(f"{name}.scale", scales[0])]
        product = self.node("DynamicQuantizeMatMul", inputs, f"{name}.product", VENDOR)
        product = self.node("Mul", [product, largest], f"{name}.scaled")
        return self.node("Add", [product, self._bias(name)], name)

    def add_and_normalise(self, name: str, values: str, skip: str) -> str:
        """Add the layer normalisation of `values + skip`."""
        weight = self.constant(f"{name}.weight", self.tensors[f"{name}.weight"])
        inputs = [values, skip, weight, self._bias(name)]
        return self.node("SkipLayerNormalization", inputs, name, VENDOR, epsilon=EPSILON)

    def _bias(self, name: str) -> str:
        return self.constant(f"{name}.bias", self.tensors[f"{name}.bias"])


def _embeddings(graph: _Graph) -> str:
    tensors = graph.tensors
    words, scales = quantise(tensors["embeddings.word_embeddings.weight"], axis=1)
    graph.node("Gather", [graph.constant("words", words), "ids"], "words.integers")
    graph.node("Gather", [graph.constant("words.scales", scales), "ids"], "words.scale")
    graph.node("Cast", ["words.integers"], "words.floats", to=TensorProto.FLOAT)
    graph.node("Mul", ["words.floats", "words.scale"], "words.embedded")
    places = tensors["embeddings.position_embeddings.weight"] + tensors["embeddings.token_type_embeddings.weight"][0]
    graph.node("Shape", ["ids"], "length", start=1, end=2)
    zero, one = graph.constant("zero", np.array([0])), graph.constant("one", np.array([1]))
    graph.node("Slice", [graph.constant("places", places[None]), zero, "length", one], "places.embedded")
    return graph.add_and_normalise("embeddings.LayerNorm", "words.embedded", "places.embedded")


def _layer(graph: _Graph, layer: str, hidden: str) -> str:
    attended = graph.dense(f"{layer}.attention.output.dense", _attention(graph, f"{layer}.attention.self", hidden))
    hidden = graph.add_and_normalise(f"{layer}.attention.output.LayerNorm", attended, hidden)
    inner = graph.dense_by_row(f"{layer}.intermediate.dense", hidden)
    inner = graph.node("Gelu", [inner], f"{layer}.gelu", VENDOR)
    outer = graph.dense_by_row(f"{layer}.output.dense", inner)
    return graph.add_and_normalise(f"{layer}.output.LayerNorm", outer, hidden)


def _attention(graph: _Graph, name: str, hidden: str) -> str:
    weights, biases = ([graph.tensors[f"{name}.{part}.{kind}"] for part in PARTS] for kind in ("weight", "bias"))
    weight, scales = quantise(np.concatenate(weights).T, 0, MATRIX_LIMIT)
    quantised = [f"{name}.integers", f"{name}.input_scale", f"{name}.input_zero"]
    graph.nodes.append(helper.make_node("DynamicQuantizeLinear", [hidden], quantised, name=f"{name}.quantise"))
    inputs = [
        quantised[0],
        graph.constant(f"{name}.weight", weight),
        graph.constant(f"{name}.bias", np.concatenate(biases)),
        quantised[1],
        graph.constant(f"{name}.scale", scales[0]),
        "",  # no mask
        quantised[2],
        graph.constant(f"{name}.zero", np.zeros(len(scales[0]), np.int8)),
    ]
    return graph.node("QAttention", inputs, name, VENDOR, num_heads=HEADS, unidirectional=0)


PARTS = ("query", "key", "value")
