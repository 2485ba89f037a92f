from __future__ import annotations

import pytest

from voice_server.live.questions import Ask, Cluster, Status, Understood
from voice_server.live.report import KEPT, ShowReport


def cluster(ident: str, text: str = "Combien ?", *, at: float = 100.0, **more: str) -> Cluster:
    understood = Understood(more.get("intent", "price"), 1.0, more.get("product", "oslo"), True)
    asks = [Ask("twitch", ident, "u1", "Ana", text, at)]
    return Cluster(ident, text, more.get("language", "fr"), understood, asks)


def test_an_empty_report() -> None:
    report = ShowReport()
    assert report.summary(5.0)["answered_share"] == 0.0
    assert report.summary(5.0)["per_minute"] == []
    assert report.summary(5.0)["wait_s"] == {"p50": None, "p95": None}


def test_what_was_asked_answered_and_left() -> None:
    report = ShowReport()
    report.begin(40.0)
    report.begin(90.0)
    price = cluster("q1")
    report.asked(price)
    price.asks.append(Ask("youtube", "m2", "u2", "Bo", "prix ?", 102.0))
    report.asked(price)
    report.sounding("q1", 108.0)
    report.sounding("q1", 120.0)
    report.sounding("unknown", 120.0)
    report.chosen("unknown", 120.0)
    water = cluster("q2", "=cmd|' /C calc'!A0", at=170.0, language="nl", intent="", product="")
    water.status, water.reason = Status.HOST, "unknown"
    report.asked(water)
    gone = cluster("q3", at=110.0)
    report.asked(gone)
    gone.status = Status.WITHDRAWN
    report.closed(gone)
    late = cluster("q4", at=120.0)
    report.asked(late)
    late.status = Status.EXPIRED
    report.closed(late)
    price.status = Status.EXPIRED
    report.closed(price)
    found = report.summary(400.0)
    assert (found["questions"], found["answered"], found["askers"]) == (3, 1, 4)
    assert found["answered_share"] == pytest.approx(0.333)
    assert found["wait_s"] == {"p50": 8.0, "p95": 8.0}
    assert found["per_minute"] == [0, 2, 1]
    assert found["by_language"] == {
        "fr": {"asked": 2, "answered": 1},
        "nl": {"asked": 1, "answered": 0},
    }
    assert found["seconds"] == 360.0
    reasons = [row["reason"] for row in found["unanswered"]]  # type: ignore[attr-defined]
    assert reasons == ["expired", "unknown"]
    table = report.table()
    assert "'=cmd" in table
    assert "Ana" not in table + str(found)


def test_it_is_bounded() -> None:
    report = ShowReport()
    for at in range(KEPT + 10):
        report.asked(cluster(f"q{at}"))
    assert report.summary(0.0)["questions"] == KEPT
