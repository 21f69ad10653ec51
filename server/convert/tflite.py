"""Reads TensorFlow Lite classifiers with float or 8-bit weights; it does not know TensorFlow.

Field numbers are those of TensorFlow Lite's public schema (schema.fbs, version 3). Weights
that were kept in 8 bits become float32: the picture stays what it was, the arithmetic is
exact instead of rounded at each layer.
"""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from flatbuffers import number_types
from flatbuffers.table import Table

from server.convert.graph import Array, Graph, channels_first
from server.errors import ConfigError

ADD, CONV_2D, DEPTHWISE_CONV_2D, DEQUANTIZE = 0, 3, 4, 6
FULLY_CONNECTED, SOFTMAX, PAD = 9, 25, 34
RELU, RELU6 = 1, 3
DTYPES = {0: np.float32, 2: np.int32, 3: np.uint8, 9: np.int8}


class _Record:
    """A flatbuffers table whose fields are asked for by number."""

    def __init__(self, data: bytes, position: int) -> None:
        self._table = Table(data, position)

    def number(self, field: int, flags: Any = number_types.Int32Flags) -> int:
        offset = self._offset(field)
        return int(self._table.Get(flags, offset + self._table.Pos)) if offset else 0

    def record(self, field: int) -> "_Record | None":
        offset = self._offset(field)
        if not offset:
            return None
        return _Record(self._table.Bytes, self._table.Indirect(offset + self._table.Pos))

    def records(self, field: int) -> list["_Record"]:
        offset = self._offset(field)
        if not offset:
            return []
        start, count = self._table.Vector(offset), self._table.VectorLen(offset)
        places = range(start, start + 4 * count, 4)
        return [_Record(self._table.Bytes, self._table.Indirect(place)) for place in places]

    def vector(self, field: int, dtype: type[np.generic]) -> npt.NDArray[Any]:
        offset = self._offset(field)
        if not offset:
            return np.empty(0, dtype)
        start, count = self._table.Vector(offset), self._table.VectorLen(offset)
        return np.frombuffer(self._table.Bytes, dtype, count, start)

    def _offset(self, field: int) -> int:
        return int(self._table.Offset(4 + 2 * field))


def tflite_to_onnx(source: bytes) -> bytes:
    """Turns a TensorFlow Lite model with one input and one output into ONNX.

    Raises ConfigError for an operator that no weights of ours use.
    """
    (root,) = struct.unpack_from("<I", source)
    return _Reader(_Record(source, root)).onnx()


class _Reader:
    """Adds TensorFlow Lite operators to a graph."""

    def __init__(self, model: _Record) -> None:
        body = model.records(2)[0]
        self._buffers = model.records(4)
        self._tensors = body.records(0)
        self._operators = body.records(3)
        self._codes = [
            max(code.number(0, number_types.Int8Flags), code.number(3)) for code in model.records(1)
        ]
        self._end = int(body.vector(2, np.int32)[0])
        begin = int(body.vector(1, np.int32)[0])
        _, height, width, channels = map(int, self._tensors[begin].vector(0, np.int32))
        self._graph = Graph(height, width, channels)
        self._names = {begin: "input"}
        self._dequantized: dict[int, Array] = {}
        self._channels = channels

    def onnx(self) -> bytes:
        adders: dict[int, Callable[[list[int], _Record | None], str]] = {
            ADD: self._add,
            CONV_2D: self._convolution,
            DEPTHWISE_CONV_2D: self._depthwise,
            FULLY_CONNECTED: self._dense,
            PAD: self._pad,
            SOFTMAX: lambda inputs, _: self._graph.node(
                "Softmax", [self._names[inputs[0]]], axis=-1
            ),
        }
        for operator in self._operators:
            code = self._codes[operator.number(0, number_types.Uint32Flags)]
            inputs = [int(each) for each in operator.vector(1, np.int32)]
            output = int(operator.vector(2, np.int32)[0])
            if code == DEQUANTIZE:
                self._dequantized[output] = self._weight(inputs[0], signed=False)
            elif code in adders:
                self._names[output] = adders[code](inputs, operator.record(4))
            else:
                raise ConfigError(f"TensorFlow Lite's operator {code} cannot be converted.")
        return self._graph.onnx(self._names[self._end])

    def _convolution(self, inputs: list[int], options: _Record | None) -> str:
        kernel = self._weight(inputs[1]).transpose(0, 3, 1, 2)
        self._channels = kernel.shape[0]
        return self._convolve(inputs, kernel, options, activation=3)

    def _depthwise(self, inputs: list[int], options: _Record | None) -> str:
        kernel = self._weight(inputs[1]).transpose(3, 0, 1, 2)
        return self._convolve(inputs, kernel, options, activation=4)

    def _convolve(
        self, inputs: list[int], kernel: Array, options: _Record | None, *, activation: int
    ) -> str:
        assert options is not None
        output = self._graph.convolution(
            self._names[inputs[0]],
            kernel,
            self._weight(inputs[2]),
            strides=[options.number(2), options.number(1)],
            padding="valid" if options.number(0, number_types.Int8Flags) else "same",
            depthwise=activation == 4,
        )
        return self._activated(output, options.number(activation, number_types.Int8Flags))

    def _dense(self, inputs: list[int], options: _Record | None) -> str:
        kernel = channels_first(self._weight(inputs[1]).transpose(), self._channels)
        flat = self._graph.node("Flatten", [self._names[inputs[0]]])
        return self._graph.dense(flat, kernel, self._weight(inputs[2]))

    def _add(self, inputs: list[int], options: _Record | None) -> str:
        return self._graph.node("Add", [self._names[each] for each in inputs])

    def _pad(self, inputs: list[int], options: _Record | None) -> str:
        before_after = self._values(inputs[1])[[0, 3, 1, 2]]
        pads = self._graph.weight(before_after.transpose().reshape(-1).astype(np.int64))
        return self._graph.node("Pad", [self._names[inputs[0]], pads])

    def _activated(self, output: str, activation: int) -> str:
        if activation == RELU:
            return self._graph.node("Relu", [output])
        if activation == RELU6:
            low, high = (self._graph.weight(np.array(each, np.float32)) for each in (0, 6))
            return self._graph.node("Clip", [output, low, high])
        if activation:
            raise ConfigError(f"TensorFlow Lite's activation {activation} is unknown here.")
        return output

    def _weight(self, index: int, *, signed: bool = True) -> Array:
        """Reads a weight as float32.

        signed: 8-bit weights that an operator reads directly are signed even where the file
        says unsigned; those that pass a DEQUANTIZE are what the file says.
        """
        if index in self._dequantized:
            return self._dequantized[index]
        values = self._values(index)
        if values.dtype == np.float32:
            return values
        if signed:
            values = values.view(np.int8)
        quantization = self._tensors[index].record(4)
        assert quantization is not None
        scale = quantization.vector(2, np.float32)[0]
        zero = int(quantization.vector(3, np.int64)[0]) if not signed else 0
        weight: Array = ((values.astype(np.int32) - zero) * scale).astype(np.float32)
        return weight

    def _values(self, index: int) -> npt.NDArray[Any]:
        tensor = self._tensors[index]
        kind = tensor.number(1, number_types.Int8Flags)
        buffer = self._buffers[tensor.number(2, number_types.Uint32Flags)]
        values = buffer.vector(0, np.uint8).view(DTYPES[kind])
        return values.reshape(tensor.vector(0, np.int32))
