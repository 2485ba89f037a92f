"""Kokoro's weights, read out of the int8 export: dequantised where the vocoder needs them.

The export (kokoro-onnx, model-files-v1.0) quantises every convolution and matrix product
dynamically.  Its text half is kept as it is: int8 products are 1.7 times as fast as float32 ones
even without VNNI.  Its convolutions are not (ConvInteger, AVX2: half the speed of Conv), so the
halves that make sound are rebuilt in float32 from the weights collected here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from voice_server.speech.engine import EngineUnavailable

Array = NDArray[np.float32]

DECODER = "/decoder/decoder/"
GENERATOR = DECODER + "generator/"
PREDICTOR = "/encoder/"
"""Where the export's node names keep the module paths of the original model."""

SOURCE_BIAS = "decoder.decoder.generator.m_source.l_linear.bias"
INVERSE_BASIS = "decoder.decoder.generator.stft.istft.stft.inverse_basis"

TEXT_OUTPUTS = {
    "durations": "/encoder/Clip_output_0",
    "hidden": "/encoder/Transpose_2_output_0",
    "aligned": "/encoder/MatMul_1_output_0",
}
"""Where the graph is cut: frames per token [n]; what pitch and energy are predicted from
[1, 512, T]; the text by frame [1, 512, T]."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Float32 weights by module path.

    ``convolutions``: (kernel, bias or None); ``styles``: (matrix [128, 2 C], bias [2 C]) giving
    gamma and beta of a norm; ``alphas``: the Snake activations' frequencies [C]; ``constants``:
    ``mix`` [9] and ``offset`` [1] of the harmonic source, ``inverse`` [22, 1, 20] transform.
    """

    convolutions: Mapping[str, tuple[Array, Array | None]]
    styles: Mapping[str, tuple[Array, Array]]
    alphas: Mapping[str, Array]
    constants: Mapping[str, Array]


def load_model(path: Path) -> onnx.ModelProto:
    """Read the export. Raises EngineUnavailable if it is missing or broken."""
    try:
        return onnx.load(str(path))
    except Exception as error:  # protobuf's errors and OSError have no common base of their own
        raise EngineUnavailable(f"Kokoro's weights {path} cannot be read: {error}") from error


def text_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph from (tokens, style, speed) to TEXT_OUTPUTS, int8 as it was.

    Raises EngineUnavailable if the graph is not the one this was written for.
    """
    known = {name for node in model.graph.node for name in node.output}
    missing = [name for name in TEXT_OUTPUTS.values() if name not in known]
    if missing:
        raise EngineUnavailable(f"this Kokoro export is unknown: it has no {', '.join(missing)}")
    cut = onnx.ModelProto()
    cut.CopyFrom(model)
    for name in TEXT_OUTPUTS.values():
        info = onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        info.type.tensor_type.ClearField("shape")
        cut.graph.output.append(info)
    # The copy's own outputs are of no use, and the extractor keeps only what ours need.
    extractor = onnx.utils.Extractor(cut)
    return extractor.extract_model(["tokens", "style", "speed"], list(TEXT_OUTPUTS.values()))


def read_weights(model: onnx.ModelProto) -> Weights:
    """Collect the weights of everything behind the text half.

    Raises EngineUnavailable if the graph is not the one this was written for.
    """
    try:
        return _Reader(model).read()
    except (KeyError, IndexError, StopIteration) as error:
        raise EngineUnavailable(f"this Kokoro export is unknown: {error!r}") from error


class _Reader:
    def __init__(self, model: onnx.ModelProto) -> None:
        self._graph = model.graph
        self._initial = {tensor.name: tensor for tensor in model.graph.initializer}
        self._makers = {name: node for node in model.graph.node for name in node.output}
        self._users: dict[str, list[onnx.NodeProto]] = {}
        for node in model.graph.node:
            for name in node.input:
                self._users.setdefault(name, []).append(node)

    def read(self) -> Weights:
        convolutions: dict[str, tuple[Array, Array | None]] = {}
        styles: dict[str, tuple[Array, Array]] = {}
        for node in self._graph.node:
            path = node.name
            if not path.startswith((DECODER, PREDICTOR + "F0", PREDICTOR + "N")):
                continue
            if node.op_type == "ConvInteger":
                convolutions[path.removesuffix("/Conv_quant")] = self._quantised(node)
            elif node.op_type in {"Conv", "ConvTranspose"}:
                module = path.removesuffix("/" + node.op_type)
                bias = self._array(node.input[2]) if len(node.input) > 2 else None
                convolutions[module] = (self._array(node.input[1]), bias)
            elif node.op_type == "MatMulInteger" and path.endswith("/fc/Gemm_MatMul_quant"):
                kernel, bias = self._quantised(node)
                assert bias is not None  # noqa: S101  every Linear of this model has one
                styles[path.removesuffix("/fc/Gemm_MatMul_quant")] = (kernel, bias)
        alphas = {name: self._array(name).ravel() for name in self._initial if ".alpha" in name}
        mixer = next(
            n for n in self._graph.node if n.name == GENERATOR + "m_source/l_linear/MatMul"
        )
        constants = {
            "mix": self._array(mixer.input[1]).ravel(),
            "offset": self._array(SOURCE_BIAS).ravel(),
            "inverse": self._array(INVERSE_BASIS),
        }
        return Weights(convolutions, styles, alphas, constants)

    def _array(self, name: str) -> Array:
        array: Any = numpy_helper.to_array(self._initial[name])
        return np.ascontiguousarray(array, np.float32)

    def _quantised(self, node: onnx.NodeProto) -> tuple[Array, Array | None]:
        """Return the float weights of ConvInteger or MatMulInteger, and the bias that follows."""
        kernel = self._array(node.input[1])
        if len(node.input) > 3:
            kernel = kernel - self._array(node.input[3])
        bias = None
        after = self._users[node.output[0]][0]
        if after.op_type == "Add":  # the bias, quantised to the scale of this call
            source = next(self._makers[n] for n in after.input if n != node.output[0])
            while source.op_type != "Div":
                source = self._makers[source.input[0]]
            bias = self._array(source.input[0])
            after = self._users[after.output[0]][0]
        scaling = self._users[after.output[0]][0]  # after the Cast
        scale = self._makers[next(n for n in scaling.input if n != after.output[0])]
        kernel = kernel * self._array(next(n for n in scale.input if n in self._initial))
        if bias is None:
            added = next(
                (user for user in self._users[scaling.output[0]] if user.op_type == "Add"), None
            )
            names = [n for n in added.input if n in self._initial] if added else []
            bias = self._array(names[0]) if names else None
        return kernel, bias
