"""The sounding half of Kokoro as three small float32 graphs: pitch, decoder, generator.

The generator makes 95 % of the work, so it works in windows.  The original normalises its channels
by their mean and deviation over the whole clause (instance norm); a window cut out of it sounds
different.  Here every norm adds what it sees in the window to what is known or foretold of the
rest of the clause (kokoro_statistics) and normalises by the sum.  For a window that is the whole
clause nothing is foretold, and the graph is the original.  Foretelling alone would not do: the
norms also keep a loud moment in check, and without that a short "yes" hisses 30 dB too loud.
Pitch network and decoder always see the whole clause: they are cheap, and make or break it.

Layout is [1, C, 1, n]: onnxruntime has its blocked convolution kernels for images only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from voice_server.speech.tts.kokoro_weights import (
    DECODER,
    GENERATOR,
    PREDICTOR,
    Array,
    Weights,
)

GENERATOR_CONTEXT = 3
"""Frames around a window.  Strictly the generator sees 4 to either side; the outermost weighs so
little that without it the samples are the same to 50 dB (measured)."""

HALF = 2
"""Steps per frame of pitch, energy and what the decoder hands to the generator."""

RATES = (20, 120)
"""Columns per frame in the generator's two stages (the second has one more in all)."""

NORM_ROWS = ("gain", "bias", "mean", "twice_mean", "variance", "least")
"""What a windowed norm is given: for s, q its window's sums of x and x^2 (a clause's columns
count 1 / n), the variance is q - s (s + twice_mean) + variance, not below ``least``; the mean is
s + mean; the result is (x - mean) gain / deviation + bias."""

EPSILON = 1e-5
_DILATIONS = (1, 3, 5)
_SLOPE, _SLOPE_UP, _SLOPE_LAST = 0.2, 0.1, 0.01
"""LeakyReLU in the adaptive blocks, before the upsampling and before the last convolution."""


@dataclass(frozen=True, slots=True)
class Norm:
    """An adaptive norm: where its style matrix is, its channels, and Snake's alpha behind it."""

    path: str
    channels: int
    alpha: Array | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """A graph and its norms in the order in which ``scale`` and ``shift`` hold their channels."""

    model: onnx.ModelProto
    norms: tuple[Norm, ...]


def pitch_network(weights: Weights) -> Network:
    """Return the graph hidden [1, 512, 1, w] -> pitch, energy [1, 1, 1, 2 w] (Hz, log)."""
    graph = _Graph(weights)
    hidden = graph.input("hidden", 512)
    for name, output in (("F0", "pitch"), ("N", "energy")):
        x = hidden
        for number in range(3):
            x = graph.adaptive(x, f"{PREDICTOR}{name}.{number}", 512 if number < 2 else 256)
        graph.output(graph.convolve(x, f"{PREDICTOR}{name}_proj"), output)
    return graph.network("kokoro-pitch")


def decoder_network(weights: Weights) -> Network:
    """Return the graph aligned [1, 512, 1, T], pitch, energy [1, 1, 1, 2 T] -> features.

    ``features`` [1, 512, 1, 2 T] is what the generator makes sound of.
    """
    graph = _Graph(weights)
    aligned = graph.input("aligned", 512)
    pitch = graph.convolve(graph.input("pitch", 1), DECODER + "F0_conv", stride=2, pads=(1, 1))
    energy = graph.convolve(graph.input("energy", 1), DECODER + "N_conv", stride=2, pads=(1, 1))
    beside = graph.convolve(aligned, DECODER + "asr_res/asr_res.0")
    x = graph.op("Concat", aligned, pitch, energy, axis=1)
    x = graph.adaptive(x, DECODER + "encode", 514)
    for number in range(4):
        x = graph.op("Concat", x, beside, pitch, energy, axis=1)
        x = graph.adaptive(x, f"{DECODER}decode.{number}", 1090)
    graph.output(x, "features")
    return graph.network("kokoro-decoder")


def generator_network(weights: Weights) -> Network:
    """Return the graph features [1, 512, 1, 2 w], source [1, 22, 1, 120 w + 1] -> spectrum.

    ``spectrum`` [1, 22, 1, 120 w + 1]: log magnitudes and phases.  ``norms`` [6, N, 1, 1]: gain,
    bias, and as NORM_ROWS says of the rest of the clause.  ``columns20`` [20 w, K] and
    ``columns120`` [120 w + 1, K] weigh what counts for the statistics, by class, so that a column
    of a clause of n counts 1 / n.  ``sums`` and ``squares`` [1, N, 1, K]: what they add up to.
    """
    graph = _Graph(weights, windowed=True)
    graph.output(_generate(graph, graph.input("features", 512)), "spectrum")
    for rate in RATES:
        graph.weights(f"columns{rate}")
    return graph.network("kokoro-generator")


def _generate(graph: _Graph, x: str) -> str:
    source = graph.input("source", 22)
    for stage, channels, stride in ((0, 256, 10), (1, 128, 6)):
        slower, margin = (6, (3, 3)) if stage == 0 else (1, None)
        path = f"{GENERATOR}noise_convs.{stage}"
        noise = graph.convolve(source, path, stride=slower, pads=margin)
        noise = graph.resonant(noise, f"noise_res.{stage}", channels, RATES[stage])
        x = graph.op("LeakyRelu", x, alpha=_SLOPE_UP)
        x = graph.stretch(x, f"{GENERATOR}ups.{stage}", stride)
        if stage == 1:
            pads = graph.constant([0, 0, 0, 1, 0, 0, 0, 0])
            x = graph.op("Pad", x, pads, mode="reflect")
        x = graph.op("Add", x, noise)
        one, two, three = (
            graph.resonant(x, f"resblocks.{3 * stage + k}", channels, RATES[stage])
            for k in range(3)
        )
        x = graph.op("Add", graph.op("Add", one, two), three)
        x = graph.op("Mul", x, graph.constant(np.float32(1 / 3)))
    return graph.convolve(graph.op("LeakyRelu", x, alpha=_SLOPE_LAST), GENERATOR + "conv_post")


class _Graph:
    """Writes nodes; every method returns the name of what it computes."""

    def __init__(self, weights: Weights, *, windowed: bool = False) -> None:
        self._weights = weights
        self._windowed = windowed
        self._nodes: list[onnx.NodeProto] = []
        self._initial: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._norms: list[Norm] = []
        self._seen: dict[str, list[str]] = {"sums": [], "squares": []}
        self._count = 0

    def input(self, name: str, channels: int) -> str:
        shape = [1, channels, 1, None]
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def weights(self, name: str) -> None:
        shape = [None, None]
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def output(self, value: str, name: str) -> None:
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))

    def op(self, kind: str, *values: str, **attributes: Any) -> str:
        name = self._name()
        self._nodes.append(helper.make_node(kind, list(values), [name], **attributes))
        return name

    def constant(self, value: Any) -> str:
        name = self._name()
        array: NDArray[Any] = np.asarray(value)
        self._initial.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def convolve(
        self,
        x: str,
        path: str,
        *,
        dilation: int = 1,
        stride: int = 1,
        pads: tuple[int, int] | None = None,
        divide: Array | None = None,
    ) -> str:
        """Convolve along time; ``divide`` [C in] is taken out of the kernel's input channels."""
        kernel, bias = self._weights.convolutions[path]
        if divide is not None:
            kernel = kernel / divide[None, :, None]
        return self._conv(x, kernel, bias, dilation, stride, pads)

    def _conv(
        self,
        x: str,
        kernel: Array,
        bias: Array | None,
        dilation: int = 1,
        stride: int = 1,
        pads: tuple[int, int] | None = None,
    ) -> str:
        taps = kernel.shape[-1]
        left, right = pads or (dilation * (taps - 1) // 2,) * 2
        values = [x, self.constant(kernel[:, :, None, :].astype(np.float32))]
        if bias is not None:
            values.append(self.constant(bias))
        return self.op(
            "Conv",
            *values,
            kernel_shape=[1, taps],
            dilations=[1, dilation],
            strides=[1, stride],
            pads=[0, left, 0, right],
        )

    def stretch(self, x: str, path: str, stride: int) -> str:
        """Upsample by a transposed convolution of twice ``stride`` taps, padded by half of it.

        Written as a convolution of three taps that yields all ``stride`` phases at once, which
        are then laid side by side: onnxruntime's own ConvTranspose is four times as slow.
        """
        kernel, bias = self._weights.convolutions[path]
        inward, outward, taps = kernel.shape
        assert taps == 2 * stride  # noqa: S101  the one shape this rewriting is right for
        phases = np.zeros((outward, stride, inward, 3), np.float32)
        for phase in range(stride):
            shifted = phase + stride // 2
            for turn in range(2):
                tap = shifted % stride + stride * turn
                phases[:, phase, :, 1 + shifted // stride - turn] = kernel[:, :, tap].T
        spread = np.repeat(bias, stride) if bias is not None else None
        x = self._conv(x, phases.reshape(outward * stride, inward, 3), spread)
        x = self.op("Reshape", x, self.constant([1, outward, stride, -1]))
        x = self.op("Transpose", x, perm=[0, 1, 3, 2])
        return self.op("Reshape", x, self.constant([1, outward, 1, -1]))

    def twice(self, x: str, channels: int) -> str:
        """Repeat every step."""
        x = self.op("Reshape", x, self.constant([1, channels, -1, 1]))
        x = self.op("Concat", x, x, axis=3)
        return self.op("Reshape", x, self.constant([1, channels, 1, -1]))

    def norm(self, x: str, path: str, channels: int) -> str:
        """Normalise over time, as the style in ``scale`` and ``shift`` wants it."""
        number = len(self._norms)
        self._norms.append(Norm(path, channels))
        flat = self.constant([channels])
        factors = (self.op("Reshape", f"{part}{number}", flat) for part in ("scale", "shift"))
        return self.op("InstanceNormalization", x, *factors, epsilon=EPSILON)

    def windowed_norm(self, x: str, path: str, channels: int, rate: int, alpha: Array) -> str:
        """Normalise by the window's own sums plus ``norms``' knowledge of the rest."""
        number = len(self._norms)
        self._norms.append(Norm(path, channels, alpha))
        gain, bias, mean, twice_mean, variance, least = (
            f"norm{number}.{row}" for row in range(len(NORM_ROWS))
        )
        found = {}
        for output, value in (("sums", x), ("squares", self.op("Mul", x, x))):
            by_class = self.op("MatMul", value, f"columns{rate}")
            self._seen[output].append(by_class)
            found[output] = self.op("ReduceSum", by_class, self.constant([3]))
        own = self.op("Mul", found["sums"], self.op("Add", found["sums"], twice_mean))
        whole = self.op("Add", self.op("Sub", found["squares"], own), variance)
        deviation = self.op("Sqrt", self.op("Max", whole, least))
        scale = self.op("Div", gain, deviation)
        middle = self.op("Mul", self.op("Add", found["sums"], mean), scale)
        return self.op("Add", self.op("Mul", x, scale), self.op("Sub", bias, middle))

    def adaptive(self, x: str, path: str, channels: int) -> str:
        """A residual block of the decoder or the predictor, twice as long where it has a pool."""
        doubles = f"{path}/pool" in self._weights.convolutions
        y = self.op("LeakyRelu", self.norm(x, f"{path}/norm1", channels), alpha=_SLOPE)
        if doubles:
            kernel, bias = self._weights.convolutions[f"{path}/pool"]
            assert bias is not None  # noqa: S101  the export has it
            y = self.op(
                "ConvTranspose",
                y,
                self.constant(kernel[:, :, None, :]),
                self.constant(bias),
                kernel_shape=[1, 3],
                strides=[1, 2],
                pads=[0, 1, 0, 1],
                output_padding=[0, 1],
                group=channels,
            )
        y = self.convolve(y, f"{path}/conv1")
        outward = self._weights.convolutions[f"{path}/conv1"][0].shape[0]
        y = self.op("LeakyRelu", self.norm(y, f"{path}/norm2", outward), alpha=_SLOPE)
        y = self.convolve(y, f"{path}/conv2")
        if doubles:
            x = self.twice(x, channels)
        if f"{path}/conv1x1" in self._weights.convolutions:
            x = self.convolve(x, f"{path}/conv1x1")
        return self.op("Mul", self.op("Add", x, y), self.constant(np.float32(2**-0.5)))

    def resonant(self, x: str, block: str, channels: int, rate: int) -> str:
        """Three dilated pairs of convolutions with Snake, x + sin(alpha x)^2 / alpha.

        alpha is multiplied into the norm before and divided out of the kernel behind.
        """
        for turn, dilation in enumerate(_DILATIONS):
            y = x
            for part, width in ((1, dilation), (2, 1)):
                alpha = self._weights.alphas[
                    f"{GENERATOR}{block}".strip("/").replace("/", ".") + f".alpha{part}.{turn}"
                ]
                name = f"{GENERATOR}{block}/adain{part}.{turn}"
                y = self.windowed_norm(y, name, channels, rate, alpha)
                wave = self.op("Sin", y)
                y = self.op("Add", y, self.op("Mul", wave, wave))
                path = f"{GENERATOR}{block}/convs{part}.{turn}"
                y = self.convolve(y, path, dilation=width, divide=alpha)
            x = self.op("Add", y, x)
        return x

    def network(self, name: str) -> Network:
        """Close the graph: cut the inputs for all norms into those of each."""
        widths = [norm.channels for norm in self._norms]
        parts = {"norms": len(NORM_ROWS)} if self._windowed else {"scale": 1, "shift": 1}
        head: list[onnx.NodeProto] = []
        for part, rows in parts.items():
            shape = [rows, sum(widths), 1, 1]
            self._inputs.append(helper.make_tensor_value_info(part, TensorProto.FLOAT, shape))
            names = [f"{part}{number}" for number in range(len(widths))]
            sizes = self.constant(np.array(widths, np.int64))
            head.append(helper.make_node("Split", [part, sizes], names, axis=1))
            for number in range(len(widths) if rows > 1 else 0):
                each = [f"norm{number}.{row}" for row in range(rows)]
                head.append(
                    helper.make_node("Split", [f"{part}{number}"], each, axis=0, num_outputs=rows)
                )
        if self._windowed:
            for output, values in self._seen.items():
                self.output(self.op("Concat", *values, axis=1), output)
        self._nodes = head + self._nodes
        graph = helper.make_graph(self._nodes, name, self._inputs, self._outputs, self._initial)
        opset = [helper.make_opsetid("", 18)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=9)
        return Network(model, tuple(self._norms))

    def _name(self) -> str:
        self._count += 1
        return f"v{self._count}"
