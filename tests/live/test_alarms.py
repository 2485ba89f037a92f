"""Alarms of a show: they stand until they are cleared, and keep their time."""

from __future__ import annotations

from voice_server.live.alarms import MOST, Alarms


def test_an_alarm_stands_until_it_is_cleared() -> None:
    calls: list[int] = []
    alarms = Alarms(lambda: calls.append(1))
    alarms.sound("source", "twitch:marolle", "The chat is away.", now=10.0)
    alarms.sound("stream", "rtmp", "The stream is away.", now=11.0)
    alarms.sound("source", "twitch:marolle", "The chat is away.", now=12.0)
    assert len(calls) == 2
    alarms.sound("source", "twitch:marolle", "The chat refuses us.", now=13.0)
    first, second = alarms.standing
    assert (first.words, first.since) == ("The chat refuses us.", 10.0)
    assert second.kind == "stream"
    alarms.clear("source", "twitch:marolle")
    alarms.clear("source", "twitch:marolle")
    assert [alarm.kind for alarm in alarms.standing] == ["stream"]
    assert len(calls) == 4


def test_alarms_are_bounded() -> None:
    alarms = Alarms()
    for number in range(MOST + 5):
        alarms.sound("source", str(number), "away", now=float(number))
    assert len(alarms.standing) == MOST
