"""A graph shaped like a Piper voice: each id sounds for a known time at a known loudness."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HOP = 256
RATE = 22_050
SYMBOLS = "_^$ ,.!?'ˈˌːabdehijklmnoprstuvwzæðŋɐɑɒɔəɛɡɪɹɾʁʃʊʌʒθ\u0303"
FRAMES = 4
"""Frames of a sounding symbol at speed 1; pads and marks last one."""


def ids() -> dict[str, list[int]]:
    return {symbol: [number] for number, symbol in enumerate(SYMBOLS)}


def write_voice(
    folder: Path,
    name: str = "en_US-tiny-low",
    *,
    language: str = "en_US",
    espeak: str = "en-us",
    tells_durations: bool = True,
    speakers: int = 1,
    **settings: Any,
) -> Path:
    """Write ``name``.onnx and its JSON; return the path of the first."""
    path = folder / f"{name}.onnx"
    onnx.save(_graph(tells_durations, speakers), str(path))
    said = {
        "audio": {"sample_rate": RATE, "quality": "low"},
        "espeak": {"voice": espeak},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_id_map": ids(),
        "num_speakers": speakers,
        "speaker_id_map": {f"speaker{n}": n for n in range(speakers)} if speakers > 1 else {},
        "language": {"code": language},
        **settings,
    }
    Path(f"{path}.json").write_text(json.dumps(said))
    return path


def _graph(tells_durations: bool, speakers: int) -> onnx.ModelProto:
    sounding = np.array([symbol.isalpha() and symbol not in "ˈˌː" for symbol in SYMBOLS])
    constants = {
        "lengths": np.where(sounding, FRAMES - 0.4, 0.6).astype(np.float32),
        "loudness": np.where(sounding, 0.5, 0.0).astype(np.float32),
        "zero": np.array(0, np.int64),
        "one": np.array(1, np.int64),
        "first": np.array([0], np.int64),
        "second": np.array([1], np.int64),
        "samples": np.array([1, HOP], np.int64),
        "row": np.array([1, 1, 1, -1], np.int64),
    }
    node = helper.make_node
    nodes = [
        node("Squeeze", ["input", "first"], ["ids"]),
        node("Gather", ["lengths", "ids"], ["wanted"]),
        node("Gather", ["scales", "second"], ["slowness"]),
        node("Mul", ["wanted", "slowness"], ["scaled"]),
        node("Ceil" if tells_durations else "Round", ["scaled"], ["frames"]),
        node("CumSum", ["frames", "zero"], ["ends"]),
        node("ReduceSum", ["frames"], ["total"], keepdims=0),
        node("Cast", ["total"], ["count"], to=TensorProto.INT64),
        node("Range", ["zero", "count", "one"], ["moments"]),
        node("Cast", ["moments"], ["moment"], to=TensorProto.FLOAT),
        node("Unsqueeze", ["moment", "second"], ["column"]),
        node("LessOrEqual", ["ends", "column"], ["passed"]),
        node("Cast", ["passed"], ["passed_number"], to=TensorProto.INT64),
        node("ReduceSum", ["passed_number", "second"], ["at"], keepdims=0),
        node("Gather", ["ids", "at"], ["sounding"]),
        node("Gather", ["loudness", "sounding"], ["levels"]),
        node("Unsqueeze", ["levels", "second"], ["level"]),
        node("Expand", ["level", "samples"], ["wave"]),
    ]
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, "T"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    if speakers > 1:  # the second speaker is half as loud
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, [1]))
        constants["speaker_levels"] = np.array([1.0, 0.5], np.float32)
        nodes += [
            node("Gather", ["speaker_levels", "sid"], ["speaker_level"]),
            node("Mul", ["wave", "speaker_level"], ["voice_wave"]),
        ]
    last = "voice_wave" if speakers > 1 else "wave"
    nodes.append(node("Reshape", [last, "row"], ["output"]))
    graph = helper.make_graph(
        nodes,
        "piper-shaped",
        inputs,
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, "N"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model
