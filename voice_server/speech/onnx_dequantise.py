"""Undoing static quantisation: an ONNX graph in QDQ form becomes plain float32.

Why anyone would: a graph quantised for processors with VNNI loses on others (AVX2 adds products
of 8-bit numbers in 16 bits, which overflow), and rounding activations to 8 bits with ranges fixed
in advance costs accuracy everywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from voice_server.speech.engine import EngineUnavailable


def float_graph(path: Path, *, what: str) -> bytes:
    """Return the model at ``path`` as ONNX bytes, its weights float32, its activations unrounded.

    Raises EngineUnavailable, naming ``what``, if the file is not an ONNX model.
    """
    try:
        model = onnx.load(str(path))
    except Exception as error:  # protobuf's and the file system's errors share no base class
        raise EngineUnavailable(f"{what} cannot be read from {path}: {error}") from error
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    unrounded: dict[str, str] = {}  # name after Quantize or Dequantize -> name before
    restored: dict[str, NDArray[np.float32]] = {}
    kept: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in stored:
            restored[node.output[0]] = _dequantised(node, stored)
        elif node.op_type in {"QuantizeLinear", "DequantizeLinear"}:
            unrounded[node.output[0]] = node.input[0]
        else:
            kept.append(node)

    def origin(name: str) -> str:
        while name in unrounded:
            name = unrounded[name]
        return name

    for node in kept:
        node.input[:] = [origin(name) for name in node.input]
    for output in graph.output:
        if output.name in unrounded:
            kept.append(helper.make_node("Identity", [origin(output.name)], [output.name]))
    used = {name for node in kept for name in node.input}
    weights = [tensor for name, tensor in stored.items() if name in used]
    weights += [
        numpy_helper.from_array(value, name) for name, value in restored.items() if name in used
    ]
    _replace(graph.node, kept)
    _replace(graph.initializer, weights)
    _replace(graph.value_info, [])  # they name tensors that are gone; onnxruntime infers anew
    data: bytes = model.SerializeToString()
    return data


def _replace(field: Any, values: list[Any]) -> None:
    """Set a repeated protobuf field, which has no assignment."""
    copies = [type(value).FromString(value.SerializeToString()) for value in values]
    del field[:]
    field.extend(copies)


def _dequantised(node: onnx.NodeProto, stored: dict[str, onnx.TensorProto]) -> NDArray[np.float32]:
    values, scale, *rest = (numpy_helper.to_array(stored[name]) for name in node.input if name)
    zero = rest[0] if rest else np.zeros_like(scale)
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
    if scale.size > 1:  # one scale per channel of `axis`
        shape = [1] * values.ndim
        shape[axis if values.ndim > 1 else 0] = -1
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    else:
        scale, zero = scale.reshape(()), zero.reshape(())
    floats: NDArray[np.float32] = (
        (values.astype(np.float32) - zero.astype(np.float32)) * scale
    ).astype(np.float32)
    return floats
