"""Reads Keras HDF5 classifiers made of the common layers; it does not know TensorFlow."""

import io
import json
from typing import Any

import h5py
import numpy as np

from server.convert.graph import Array, Graph, channels_first
from server.errors import ConfigError


def keras_to_onnx(source: bytes) -> bytes:
    """Turns a Keras 2 model, sequential or functional with one output, into ONNX.

    Raises ConfigError for a layer that no weights of ours use.
    """
    with h5py.File(io.BytesIO(source), "r") as file:
        config = json.loads(file.attrs["model_config"])["config"]
        layers: list[dict[str, Any]] = config["layers"]
        _, height, width, channels = layers[0]["config"]["batch_input_shape"]
        reader = _Reader(Graph(height, width, channels), file["model_weights"], channels)
        previous = ""
        for layer in layers:
            name = layer["config"]["name"]
            inputs = [item[0] for node in layer.get("inbound_nodes", []) for item in node]
            reader.add(layer["class_name"], layer["config"], inputs or [previous])
            previous = name
        return reader.graph.onnx(reader.outputs[previous])


class _Reader:
    """Adds Keras layers to a graph. `outputs`: Keras name of a layer -> name in the graph."""

    def __init__(self, graph: Graph, weights: Any, channels: int) -> None:
        self.graph = graph
        self.outputs: dict[str, str] = {}
        self._weights = weights
        self._channels = channels

    def add(self, kind: str, config: dict[str, Any], inputs: list[str]) -> None:
        graph, name = self.graph, config["name"]
        if kind == "InputLayer":
            self.outputs[name] = "input"
            return
        sources = [self.outputs[each] for each in inputs]
        match kind:
            case "Conv2D" | "SeparableConv2D":
                output = self._convolution(kind, config, sources[0])
            case "BatchNormalization":
                names = ("gamma", "beta", "moving_mean", "moving_variance")
                values = [graph.weight(self._weight(name, each)) for each in names]
                output = graph.node(
                    "BatchNormalization", [sources[0], *values], epsilon=config["epsilon"]
                )
            case "MaxPooling2D":
                output = graph.node(
                    "MaxPool",
                    sources,
                    kernel_shape=config["pool_size"],
                    strides=config["strides"],
                    auto_pad="SAME_UPPER" if config["padding"] == "same" else "VALID",
                )
            case "GlobalAveragePooling2D":
                output = graph.node("Flatten", [graph.node("GlobalAveragePool", sources)])
            case "Flatten":
                output = graph.node("Flatten", sources)
            case "Dense":
                output = self._dense(name, sources[0])
            case "Add":
                output = graph.node("Add", sources)
            case "Activation":
                output = sources[0]
            case _:
                raise ConfigError(f"Keras layers of the kind {kind} cannot be converted.")
        self.outputs[name] = self._activated(output, config.get("activation", "linear"))

    def _convolution(self, kind: str, config: dict[str, Any], source: str) -> str:
        name, strides, padding = config["name"], config["strides"], config["padding"]
        if kind == "SeparableConv2D":
            depthwise = self._weight(name, "depthwise_kernel").transpose(2, 3, 0, 1)
            source = self.graph.convolution(
                source, depthwise, None, strides=strides, padding=padding, depthwise=True
            )
            kernel, strides = self._weight(name, "pointwise_kernel"), [1, 1]
        else:
            kernel = self._weight(name, "kernel")
        bias = self._weight(name, "bias") if config["use_bias"] else None
        self._channels = kernel.shape[3]
        return self.graph.convolution(
            source, kernel.transpose(3, 2, 0, 1), bias, strides=strides, padding=padding
        )

    def _dense(self, name: str, source: str) -> str:
        kernel = self._weight(name, "kernel")
        if kernel.shape[0] != self._channels:
            kernel = channels_first(kernel, self._channels)
        self._channels = kernel.shape[1]
        return self.graph.dense(source, kernel, self._weight(name, "bias"))

    def _activated(self, output: str, activation: str) -> str:
        match activation:
            case "linear":
                return output
            case "relu":
                return self.graph.node("Relu", [output])
            case "softmax":
                return self.graph.node("Softmax", [output], axis=-1)
        raise ConfigError(f"Keras activations of the kind {activation} cannot be converted.")

    def _weight(self, layer: str, name: str) -> Array:
        group = self._weights[layer]
        for path in group.attrs["weight_names"]:
            text = path.decode() if isinstance(path, bytes) else str(path)
            if text.endswith(f"/{name}:0"):
                return np.asarray(group[text], dtype=np.float32)
        raise ConfigError(f"The layer {layer} has no weight {name}; the file is not whole.")
