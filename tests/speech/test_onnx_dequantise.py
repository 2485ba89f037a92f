from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from voice_server.speech.engine import EngineUnavailable
from voice_server.speech.onnx_dequantise import float_graph
from voice_server.speech.onnx_session import open_session

WEIGHT = np.array([[10, -20], [30, 127], [-128, 4]], np.int8)


def quantised_model(
    path: Path, scale: NDArray[np.float32], zero: NDArray[np.int8] | None, axis: int | None
) -> Path:
    """Compute y = dq(q(x)) @ dq(WEIGHT), rounded again, as static quantisation writes it."""
    constants = {
        "w": WEIGHT,
        "w_scale": scale,
        "step": np.float32(0.5),
        "centre": np.int8(0),
    }
    weight_inputs = ["w", "w_scale"]
    if zero is not None:
        constants["w_zero"] = zero
        weight_inputs.append("w_zero")
    attributes = {} if axis is None else {"axis": axis}
    rounding = ["step", "centre"]
    nodes = [
        helper.make_node("DequantizeLinear", weight_inputs, ["w_float"], **attributes),
        helper.make_node("QuantizeLinear", ["x", *rounding], ["x_q"]),
        helper.make_node("DequantizeLinear", ["x_q", *rounding], ["x_dq"]),
        helper.make_node("MatMul", ["x_dq", "w_float"], ["y_float"]),
        helper.make_node("QuantizeLinear", ["y_float", *rounding], ["y_q"]),
        helper.make_node("DequantizeLinear", ["y_q", *rounding], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "quantised",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 10
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("scale", "zero", "axis"),
    [
        (np.float32(0.1), np.int8(3), None),
        (np.float32(0.1), None, None),
        (np.array([0.1, 0.01], np.float32), np.array([1, -2], np.int8), 1),
        (np.array([0.1, 0.01, 1.0], np.float32), np.zeros(3, np.int8), 0),
    ],
)
def test_weights_are_restored_and_nothing_is_rounded(
    tmp_path: Path,
    scale: NDArray[np.float32],
    zero: NDArray[np.int8] | None,
    axis: int | None,
) -> None:
    path = quantised_model(tmp_path / "q.onnx", scale, zero, axis)
    session = open_session(float_graph(path, what="the test model"))
    x = np.array([[0.13, -0.07, 0.021]], np.float32)  # all of it below half a step
    shift = np.zeros_like(scale) if zero is None else zero.astype(np.float32)
    if axis == 0:
        scale, shift = scale[:, None], np.asarray(shift)[:, None]
    expected = x @ ((WEIGHT - shift) * scale)
    (y,) = session.run(None, {"x": x})
    np.testing.assert_allclose(y, expected, rtol=1e-5)


def test_an_unreadable_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "torn.onnx").write_bytes(b"torn")
    with pytest.raises(EngineUnavailable, match=r"the test model cannot be read from .*torn"):
        float_graph(tmp_path / "torn.onnx", what="the test model")


def test_a_graph_that_onnxruntime_refuses_is_reported_in_words() -> None:
    with pytest.raises(EngineUnavailable, match="the test model cannot be loaded"):
        open_session(b"not a model", what="the test model")


def test_two_models_in_a_folder_are_a_choice_nobody_made(tmp_path: Path) -> None:
    from voice_server.speech.onnx_session import only_file

    for name in ("a.onnx", "b.onnx"):
        (tmp_path / name).touch()
    with pytest.raises(EngineUnavailable, match=r"found a\.onnx, b\.onnx"):
        only_file(tmp_path, "*.onnx", what="the test")
    assert only_file(tmp_path / "a.onnx", "*.onnx", what="the test") == tmp_path / "a.onnx"
