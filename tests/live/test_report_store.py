"""Reports of shows that are over: kept, listed, bounded, and safe against names and damage."""

from __future__ import annotations

from pathlib import Path

from voice_server.live.report import ShowReport
from voice_server.live.report_store import KEPT, ReportStore


def test_reports_are_kept_newest_first(tmp_path: Path) -> None:
    store = ReportStore(tmp_path / "reports")
    assert store.all("demo") == []
    report = ShowReport()
    report.begin(10.0)
    first = store.save("demo", report.document(70.0, unix_now=1_000.0))
    second = store.save("demo", report.document(80.0, unix_now=2_000.0))
    assert [entry["name"] for entry in store.all("demo")] == [second, first]
    found = store.get("demo", first)
    assert found is not None
    assert (found["seconds"], found["began_at"], found["ended_at"]) == (60.0, 940.0, 1000.0)


def test_only_reports_are_read(tmp_path: Path) -> None:
    store = ReportStore(tmp_path)
    (tmp_path / "secret.json").write_text("{}")
    assert store.get("demo", "../secret") is None
    assert store.all("../x") == []
    name = store.save("demo", {"ended_at": 1.0})
    (tmp_path / "demo" / f"{name}.json").write_text("[")
    assert store.get("demo", name) is None
    assert store.all("demo") == []


def test_reports_are_bounded(tmp_path: Path) -> None:
    store = ReportStore(tmp_path)
    for number in range(KEPT + 3):
        store.save("demo", {"ended_at": float(number)})
    assert len(store.all("demo")) == KEPT
