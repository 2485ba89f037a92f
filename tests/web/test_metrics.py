"""The text format, and that nothing grows without end."""

from __future__ import annotations

import math

import pytest

from voice_server.web.metrics import SERIES_LIMIT, Metrics


def test_counters_and_gauges() -> None:
    metrics = Metrics()
    metrics.count("realtime_sessions_total")
    metrics.count("realtime_sessions_total", 2)
    metrics.gauge("realtime_sessions", 1.5)
    metrics.count("odd_thing", kind='a"b\\c\nd')
    assert metrics.value("realtime_sessions_total") == 3
    assert metrics.value("never") == 0
    assert metrics.render() == (
        "# HELP voice_server_odd_thing odd thing\n"
        "# TYPE voice_server_odd_thing counter\n"
        'voice_server_odd_thing{kind="a\\"b\\\\c\\nd"} 1\n'
        "# HELP voice_server_realtime_sessions Realtime sessions open now, parked ones included.\n"
        "# TYPE voice_server_realtime_sessions gauge\n"
        "voice_server_realtime_sessions 1.5\n"
        "# HELP voice_server_realtime_sessions_total Realtime sessions opened.\n"
        "# TYPE voice_server_realtime_sessions_total counter\n"
        "voice_server_realtime_sessions_total 3\n"
    )


def test_histograms_are_cumulative() -> None:
    metrics = Metrics()
    for value in (0.05, 0.06, 0.65, 99.0, math.nan, math.inf):
        metrics.observe("voice_to_voice_seconds", value, first="content")
    lines = metrics.render().splitlines()
    name = "voice_server_voice_to_voice_seconds"
    assert f'{name}_bucket{{first="content",le="0.05"}} 1' in lines
    assert f'{name}_bucket{{first="content",le="0.1"}} 2' in lines
    assert f'{name}_bucket{{first="content",le="0.7"}} 3' in lines
    assert f'{name}_bucket{{first="content",le="10"}} 3' in lines
    assert f'{name}_bucket{{first="content",le="+Inf"}} 4' in lines
    assert f'{name}_sum{{first="content"}} 99.760000' in lines
    assert f'{name}_count{{first="content"}} 4' in lines


def test_a_name_has_one_kind() -> None:
    metrics = Metrics()
    metrics.count("x")
    with pytest.raises(ValueError, match="counter, not a gauge"):
        metrics.gauge("x", 1)


def test_labels_are_bounded() -> None:
    metrics = Metrics()
    for index in range(SERIES_LIMIT + 50):
        metrics.count("x", who=str(index))
    assert metrics.value("x", overflow="true") == 50
