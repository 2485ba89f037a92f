"""A model file shaped like Silero's, with random weights, and its arithmetic done the slow way."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from voice_server.speech import vad_graph

Array = NDArray[np.float32]


def random_weights(seed: int = 3) -> vad_graph.Weights:
    """Weights of the right shapes, scaled so that activations stay of order one."""
    random = np.random.default_rng(seed)
    weights = {}
    for name, shape in vad_graph._SHAPES.items():
        fan_in = int(np.prod(shape[1:])) or 1
        weights[name] = (random.standard_normal(shape) * fan_in**-0.5).astype(np.float32)
    return weights


def write_model(path: Path, weights: vad_graph.Weights) -> Path:
    """Write the weights where Silero has them: constants in one branch of an If."""

    def branch(tensors: dict[str, Array], output: str) -> onnx.GraphProto:
        nodes = [
            helper.make_node(
                "Constant", [], [f"branch__{name}"], value=numpy_helper.from_array(tensor)
            )
            for name, tensor in tensors.items()
        ]
        nodes.append(helper.make_node("Identity", ["input"], [output]))
        value = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
        return helper.make_graph(nodes, "branch", [], [value])

    narrow = {name: tensor for name, tensor in weights.items() if not name.startswith("stft")}
    node = helper.make_node(
        "If",
        ["wide"],
        ["output"],
        then_branch=branch(weights, "a"),
        else_branch=branch(narrow, "b"),
    )
    graph = helper.make_graph(
        [node],
        "vad",
        [
            helper.make_tensor_value_info("input", TensorProto.FLOAT, None),
            helper.make_tensor_value_info("wide", TensorProto.BOOL, []),
        ],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, None)],
    )
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return path


def convolve(x: Array, weight: Array, bias: Array, step: int) -> Array:
    """Width 3, padding 1: x [in, t] to [out, t'], written from the definition."""
    padded = np.pad(x, ((0, 0), (1, 1)))
    columns = [
        np.einsum("oik,ik->o", weight, padded[:, t : t + 3]) + bias
        for t in range(0, x.shape[1], step)
    ]
    rectified: Array = np.maximum(np.stack(columns, axis=1), np.float32(0), dtype=np.float32)
    return rectified


def sigmoid(x: Array) -> Array:
    return (1 / (1 + np.exp(-x))).astype(np.float32)


def slow_step(
    weights: vad_graph.Weights, samples: Array, hidden: Array, cell: Array
) -> tuple[float, Array, Array]:
    """One frame: samples [576], states [128]."""
    x = np.pad(samples, (0, 64), mode="reflect")
    basis = weights["stft.forward_basis_buffer"][:, 0]
    waves = np.stack([basis @ x[t : t + 256] for t in range(0, 385, 128)], axis=1)
    y = np.hypot(waves[:129], waves[129:])
    for layer, step in enumerate((1, 2, 2, 1)):
        name = f"encoder.{layer}.reparam_conv"
        y = convolve(y, weights[f"{name}.weight"], weights[f"{name}.bias"], step)
    gates = (
        weights["decoder.rnn.weight_ih"] @ y[:, 0]
        + weights["decoder.rnn.weight_hh"] @ hidden
        + weights["decoder.rnn.bias_ih"]
        + weights["decoder.rnn.bias_hh"]
    )
    enter, keep, fresh, leave = np.split(gates, 4)
    cell = sigmoid(keep) * cell + sigmoid(enter) * np.tanh(fresh)
    hidden = sigmoid(leave) * np.tanh(cell)
    logit = (
        weights["decoder.decoder.2.weight"][0, :, 0] @ np.maximum(hidden, 0)
        + weights["decoder.decoder.2.bias"][0]
    )
    return float(sigmoid(logit)), hidden, cell
