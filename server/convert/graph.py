"""An ONNX graph while it grows, one layer at a time; it does not know other formats."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[np.float32]

OPSET = 13
IR_VERSION = 8
"""Both as old as the layers allow, so that every onnxruntime of the last years loads them."""


class Graph:
    """Collects nodes and weights; every method that adds a layer returns its output's name."""

    def __init__(self, height: int, width: int, channels: int) -> None:
        self._input = helper.make_tensor_value_info(
            "input", TensorProto.FLOAT, ["n", channels, height, width]
        )
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def node(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        """Adds a layer that has one output."""
        output = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def weight(self, values: npt.NDArray[np.generic]) -> str:
        """Adds a constant."""
        name = f"w_{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def convolution(
        self,
        source: str,
        kernel: Array,
        bias: Array | None,
        *,
        strides: list[int],
        padding: str,
        depthwise: bool = False,
    ) -> str:
        """Adds a convolution.

        kernel: shape (out, in, height, width); depthwise: (channels, 1, height, width).
        padding: "same" (what is odd goes to the right and below) or "valid".
        """
        inputs = [source, self.weight(kernel)]
        if bias is not None:
            inputs.append(self.weight(bias))
        return self.node(
            "Conv",
            inputs,
            kernel_shape=list(kernel.shape[2:]),
            strides=strides,
            group=kernel.shape[0] if depthwise else 1,
            auto_pad="SAME_UPPER" if padding == "same" else "VALID",
        )

    def dense(self, source: str, kernel: Array, bias: Array) -> str:
        """Adds a fully connected layer. kernel: shape (in, out)."""
        return self.node("Gemm", [source, self.weight(kernel), self.weight(bias)])

    def onnx(self, output: str) -> bytes:
        """Writes the graph with `output` as its only output, called "probabilities"."""
        self._nodes.append(helper.make_node("Identity", [output], ["probabilities"]))
        result = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", "classes"])
        graph = helper.make_graph(self._nodes, "classifier", [self._input], [result], self._weights)
        model = helper.make_model(
            graph, ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)]
        )
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))


def channels_first(rows: Array, channels: int) -> Array:
    """Reorders the rows of a dense kernel that follows a flattened square picture.

    rows: shape (side * side * channels, out), row order height, width, channel.
    Returns the same rows in the order channel, height, width.
    """
    side = math.isqrt(rows.shape[0] // channels)
    square = rows.reshape(side, side, channels, -1)
    return square.transpose(2, 0, 1, 3).reshape(rows.shape)
