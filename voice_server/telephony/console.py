"""What operators see and do of the calls: ``/api/calls``. Needs a key, as all of the API.

``GET /api/calls``                    live calls, and the last records
``POST /api/calls/{id}/hang-up``      end a call
``POST /api/calls/{id}/transfer``     bring its caller to the line's human
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aiohttp import web

from voice_server.telephony.calls import CallRecord, Calls
from voice_server.telephony.session import CallSession

RECORDS_SHOWN = 100


class CallsApi:
    """The handlers."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Return live calls and the newest records, newest first. Numbers are masked."""
        newest = list(self._calls.records)[-RECORDS_SHOWN:][::-1]
        live = [session.snapshot() for session in self._calls.live]
        return web.json_response({"live": live, "records": [_record(one) for one in newest]})

    async def hang_up(self, request: web.Request) -> web.StreamResponse:
        """End a call."""
        self._find(request).end("an operator hung up")
        return web.json_response({"done": True})

    async def transfer(self, request: web.Request) -> web.StreamResponse:
        """Bring the caller to a human, with some words first; 409 where the line has none."""
        session = self._find(request)
        if session.flow.line is None or not session.flow.line.human:
            raise web.HTTPConflict(text="This line has no human to connect to.")
        session.hand_over({"reason": "operator"})
        return web.json_response({"done": True})

    def _find(self, request: web.Request) -> CallSession:
        session = self._calls.find(request.match_info["id"])
        if session is None:
            raise web.HTTPNotFound(text="There is no such call now.")
        return session


def _record(record: CallRecord) -> dict[str, Any]:
    return {**asdict(record), "began": record.began.isoformat(timespec="seconds")}
