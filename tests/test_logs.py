"""One event is one line, as text or JSON."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from voice_server.logs import configure_logs


@pytest.mark.parametrize("form", ["text", "json"])
def test_every_record_is_one_line(
    form: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    try:
        configure_logs(form, "info")  # type: ignore[arg-type]
        log = logging.getLogger("voice_server.app")
        log.info("two\nlines by a caller")
        log.debug("not shown")
        try:
            raise ValueError("boom")
        except ValueError:
            log.exception("it failed")
    finally:
        root.handlers[:], root.level = before, level
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "boom" in lines[1]
    if form == "json":
        first = json.loads(lines[0])
        assert first["level"] == "info"
        assert first["message"] == "two\nlines by a caller"
    else:
        assert "app  two ⏎ lines" in lines[0]
