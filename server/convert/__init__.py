"""Turns weights as others publish them into ONNX; it does not know where they come from.

Only h5py, flatbuffers and onnx are needed, and no byte of what is converted is executed. The
result depends on the input alone, byte for byte: weights are transposed or multiplied by a
scale once, nothing is summed.
"""

import ast

from server.errors import ConfigError

KINDS = ("keras", "tflite", "python-bytes")
"""What `convert` reads: a Keras HDF5 file, a TensorFlow Lite file, Python source that holds
an ONNX file as its one bytes literal."""


def convert(kind: str, source: bytes) -> bytes:
    """Turns a model file into the bytes of an ONNX file.

    kind: one of KINDS. The model's input is called "input" and has the shape
    (n, channels, height, width), whatever the order was in `source`.
    Raises ConfigError if a library is missing or the file holds something unknown.
    """
    try:
        match kind:
            case "keras":
                from server.convert.keras import keras_to_onnx

                return keras_to_onnx(source)
            case "tflite":
                from server.convert.tflite import tflite_to_onnx

                return tflite_to_onnx(source)
            case "python-bytes":
                return _bytes_literal(source)
    except ImportError as error:
        raise ConfigError(
            f"Converting weights needs {error.name}; install TADBot with its extra `server`."
        ) from error
    raise ConfigError(f"Weights of the kind {kind!r} cannot be converted; use one of {KINDS}.")


def _bytes_literal(source: bytes) -> bytes:
    """Finds the only bytes literal that a module assigns to a name, without running it."""
    literals = [
        node.value.value
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        if isinstance(node.value.value, bytes)
    ]
    if len(literals) != 1:
        raise ConfigError("The module does not hold exactly one model; pin another version.")
    return literals[0]
