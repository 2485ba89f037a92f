"""Silero VAD's network, rebuilt from its own weights as a graph that batches well.

The published graph runs its convolutions sample by sample and asks many questions about shapes:
200 µs for one frame and still 71 µs a frame in a batch of 64.  Each frame has only four steps of
spectrum, so every convolution is a matrix product with the zero padding left out; written so, one
thread needs 21 µs a frame at 64 and 112 µs alone, with equal results (the tests hold 1e-4).

The network, for 16 kHz: magnitude spectrum (Hann, 256 wide, step 128, the end reflected by 64),
four convolutions of width 3 (steps 1, 2, 2, 1) with ReLU, an LSTM cell, one output unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from voice_server.speech.engine import EngineUnavailable

CONTEXT = 64
"""Samples of the frame before that the network sees again."""

FRAME = 512
"""New samples in a frame: 32 ms."""

UNITS = 128
"""Width of the LSTM's hidden and cell state."""

_WINDOW, _STEP, _BINS, _REFLECTED = 256, 128, 129, 64

_SHAPES: dict[str, tuple[int, ...]] = {
    "stft.forward_basis_buffer": (2 * _BINS, 1, _WINDOW),
    "encoder.0.reparam_conv.weight": (128, _BINS, 3),
    "encoder.0.reparam_conv.bias": (128,),
    "encoder.1.reparam_conv.weight": (64, 128, 3),
    "encoder.1.reparam_conv.bias": (64,),
    "encoder.2.reparam_conv.weight": (64, 64, 3),
    "encoder.2.reparam_conv.bias": (64,),
    "encoder.3.reparam_conv.weight": (128, 64, 3),
    "encoder.3.reparam_conv.bias": (128,),
    "decoder.rnn.weight_ih": (4 * UNITS, UNITS),
    "decoder.rnn.weight_hh": (4 * UNITS, UNITS),
    "decoder.rnn.bias_ih": (4 * UNITS,),
    "decoder.rnn.bias_hh": (4 * UNITS,),
    "decoder.decoder.2.weight": (1, UNITS, 1),
    "decoder.decoder.2.bias": (1,),
}
"""The published names; the shapes tell the 16 kHz network from the 8 kHz one beside it."""

Weights = dict[str, NDArray[np.float32]]


def read_weights(path: Path) -> Weights:
    """Return the 16 kHz network's weights in Silero's published ONNX file.

    Raises EngineUnavailable if ``path`` is not such a file.
    """
    try:
        model = onnx.load(str(path))
    except Exception as error:  # protobuf's and the file system's errors share no base class
        raise EngineUnavailable(
            f"the voice activity model {path} is unreadable: {error}"
        ) from error
    # The 16 kHz branch stands last in the file order only by chance, so go by name and shape;
    # encoder widths are alike in both networks, hence the branch that holds the spectrum.
    for graph in _graphs(model.graph):
        tensors: Weights = {}
        for name, tensor in _constants(graph):
            for known, shape in _SHAPES.items():
                if name.endswith(known) and tuple(tensor.dims) == shape:
                    tensors[known] = numpy_helper.to_array(tensor).astype(np.float32)
        if len(tensors) == len(_SHAPES):
            return tensors
    raise EngineUnavailable(f"{path} is not the Silero VAD 6 model: its weights were not found")


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _graphs(attribute.g)


def _constants(graph: onnx.GraphProto) -> Iterator[tuple[str, onnx.TensorProto]]:
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            yield node.output[0], node.attribute[0].t


def batched_graph(weights: Weights) -> bytes:
    """Return the network as ONNX bytes.

    Inputs: context [B, 64], frame [B, 512], hidden [B, 128], cell [B, 128]; outputs: probability
    [B, 1], hidden_out and cell_out [B, 128].  All float32.
    """
    model: bytes = _Builder(weights).build().SerializeToString()
    return model


def _by_tap(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convolution weight [out, in, taps] as the matrix [taps * in, out], tap by tap."""
    return weight.transpose(2, 1, 0).reshape(-1, weight.shape[0])


class _Builder:
    """Collects nodes and constants; each method returns the name of what it computes."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, NDArray[np.generic]] = {}

    def build(self) -> onnx.ModelProto:
        spectrum = self._spectrum()
        features = self._encoder(spectrum)
        self._decoder(features)

        def value(name: str, width: int) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])

        graph = helper.make_graph(
            self._nodes,
            "silero_vad_batched",
            [
                value("context", CONTEXT),
                value("frame", FRAME),
                value("hidden", UNITS),
                value("cell", UNITS),
            ],
            [value("probability", 1), value("hidden_out", UNITS), value("cell_out", UNITS)],
            [numpy_helper.from_array(array, name) for name, array in self._constants.items()],
        )
        # IR 10 and opset 18: old enough for every onnxruntime we allow (>= 1.23).
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
        model.ir_version = 10
        onnx.checker.check_model(model)
        return model

    def _spectrum(self) -> list[str]:
        """Magnitudes [B, 129] at the four steps."""
        basis = self._weights["stft.forward_basis_buffer"][:, 0].T
        # The last window runs 64 samples past the end, into the reflection about the last one:
        # fold its coefficients back instead of building the reflection.
        inside = _WINDOW - _REFLECTED
        folded = basis[:inside].copy()
        folded[inside - 1 - _REFLECTED : inside - 1] += basis[inside:][::-1]
        whole = self._node("Concat", ["context", "frame"], axis=1)
        full = self._node(
            "Concat",
            [self._slice(whole, step * _STEP, step * _STEP + _WINDOW) for step in range(3)],
            axis=0,
        )
        waves = self._node(
            "Concat",
            [
                self._node("MatMul", [full, self._constant("basis", basis)]),
                self._node(
                    "MatMul",
                    [
                        self._slice(whole, 3 * _STEP, CONTEXT + FRAME),
                        self._constant("folded", folded),
                    ],
                ),
            ],
            axis=0,
        )
        power = self._node("Mul", [waves, waves])
        energy = self._node(
            "Add", [self._slice(power, 0, _BINS), self._slice(power, _BINS, 2 * _BINS)]
        )
        return self._split(self._node("Sqrt", [energy]), 4, axis=0)

    def _encoder(self, steps: list[str]) -> str:
        """Features [B, 128] of the frame's four spectra."""
        weight = [self._weights[f"encoder.{layer}.reparam_conv.weight"] for layer in range(4)]
        bias = [
            self._constant(f"bias{layer}", self._weights[f"encoder.{layer}.reparam_conv.bias"])
            for layer in range(4)
        ]
        taps = [_by_tap(each) for each in weight]
        first, second, third, fourth = steps
        whole = self._constant("conv0", taps[0])
        # The two middle outputs see three steps each, the outer ones two: padding left out.
        middle = self._dense(
            self._node(
                "Concat",
                [self._join(first, second, third), self._join(second, third, fourth)],
                axis=0,
            ),
            whole,
            bias[0],
        )
        opening = self._dense(
            self._join(first, second), self._constant("conv0_start", taps[0][_BINS:]), bias[0]
        )
        closing = self._dense(
            self._join(third, fourth), self._constant("conv0_end", taps[0][: 2 * _BINS]), bias[0]
        )
        inner = self._split(middle, 2, axis=0)
        early = self._dense(
            self._join(opening, inner[0]), self._constant("conv1_start", taps[1][128:]), bias[1]
        )
        late = self._dense(self._join(*inner, closing), self._constant("conv1", taps[1]), bias[1])
        joined = self._dense(
            self._join(early, late), self._constant("conv2", taps[2][64:]), bias[2]
        )
        centre = self._constant("conv3", taps[3][64:128])
        return self._dense(joined, centre, bias[3])

    def _decoder(self, features: str) -> None:
        """The LSTM cell (gates in the order input, forget, cell, output) and the output unit."""
        weights = self._weights
        recurrent = np.concatenate(
            (weights["decoder.rnn.weight_ih"], weights["decoder.rnn.weight_hh"]), axis=1
        ).T
        gates = self._node(
            "Gemm",
            [
                self._join(features, "hidden"),
                self._constant("recurrent", recurrent),
                self._constant(
                    "recurrent_bias",
                    weights["decoder.rnn.bias_ih"] + weights["decoder.rnn.bias_hh"],
                ),
            ],
        )
        enter, keep, fresh, leave = self._split(gates, 4, axis=1)
        kept = self._node("Mul", [self._node("Sigmoid", [keep]), "cell"])
        added = self._node("Mul", [self._node("Sigmoid", [enter]), self._node("Tanh", [fresh])])
        self._node("Add", [kept, added], output="cell_out")
        self._node(
            "Mul",
            [self._node("Sigmoid", [leave]), self._node("Tanh", ["cell_out"])],
            output="hidden_out",
        )
        logit = self._node(
            "Gemm",
            [
                self._node("Relu", ["hidden_out"]),
                self._constant("output", weights["decoder.decoder.2.weight"][0]),
                self._constant("output_bias", weights["decoder.decoder.2.bias"]),
            ],
        )
        self._node("Sigmoid", [logit], output="probability")

    def _node(
        self, kind: str, inputs: list[str], *, output: str = "", axis: int | None = None
    ) -> str:
        name = output or f"n{len(self._nodes)}"
        attributes = {} if axis is None else {"axis": axis}
        self._nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def _constant(self, name: str, value: NDArray[np.generic]) -> str:
        self._constants[name] = np.ascontiguousarray(value)
        return name

    def _integer(self, value: int) -> str:
        return self._constant(f"i{value}", np.array([value], dtype=np.int64))

    def _slice(self, source: str, begin: int, end: int) -> str:
        bounds = [self._integer(begin), self._integer(end), self._integer(1)]
        return self._node("Slice", [source, *bounds])

    def _split(self, source: str, parts: int, *, axis: int) -> list[str]:
        names = [f"n{len(self._nodes)}_{part}" for part in range(parts)]
        self._nodes.append(helper.make_node("Split", [source], names, axis=axis, num_outputs=parts))
        return names

    def _join(self, *sources: str) -> str:
        return self._node("Concat", list(sources), axis=1)

    def _dense(self, source: str, weight: str, bias: str) -> str:
        return self._node("Relu", [self._node("Gemm", [source, weight, bias])])
