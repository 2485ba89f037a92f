"""The routes by which a show leaves: the host starts and stops it, our own browser draws it.

``GET /api/live/{show}/out`` says how it is doing, ``POST`` starts with a JSON body
``{"push": "rtmp://host/app/key"}`` or ``{"record": true}`` (also ``"layout": "portrait"``,
``"language"``, ``"captions"``), ``DELETE`` stops everything, ``?what=`` one outlet.  They need a
key like everything under ``/api/live/``.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from voice_server.bodies import request_body
from voice_server.live.out.feed import MOST_BYTES, FeedError
from voice_server.live.out.outlet import default_file
from voice_server.live.out.output import SIZES, Look, ShowOutput
from voice_server.live.out.target import OutError, Record, parse_push
from voice_server.web.live import may_host
from voice_server.web.pages import STATIC, send_page

MOST_BODY = 4_096
WAITING_WORDS = 20
"""Words to the page that wait; all are "a key frame, please", and one is enough."""


@dataclass(frozen=True, slots=True)
class OutBackend:
    """What the routes need; made by the app."""

    output: Callable[[str], ShowOutput | None]
    recordings: Path
    """Folder of what the host records from the console."""
    shop_of: Callable[[str], str] = lambda show_id: ""
    """The shop of a show: a key of another shop does not open it."""


def add_live_out(app: web.Application, backend: OutBackend) -> None:
    """Add the routes."""
    routes = _Routes(backend)
    app.router.add_get("/stage/{show}/feed", routes.page)
    app.router.add_get("/live/{show}/feed", routes.feed)
    app.router.add_get("/api/live/{show}/out", routes.report)
    app.router.add_post("/api/live/{show}/out", routes.start)
    app.router.add_delete("/api/live/{show}/out", routes.stop)


class _Routes:
    def __init__(self, backend: OutBackend) -> None:
        self._backend = backend

    async def page(self, request: web.Request) -> web.StreamResponse:
        self._output(request)
        return send_page(STATIC / "stage/feed.html")

    async def feed(self, request: web.Request) -> web.StreamResponse:
        output = self._output(request)
        socket = web.WebSocketResponse(max_msg_size=MOST_BYTES, compress=False)
        words: asyncio.Queue[str | None] = asyncio.Queue(WAITING_WORDS)

        def send(word: str | None) -> None:
            with contextlib.suppress(asyncio.QueueFull):
                words.put_nowait(word)

        try:
            page = output.join(request.query.get("token", ""), send, lambda: send(None))
        except FeedError as error:
            raise web.HTTPForbidden(text=str(error)) from None
        await socket.prepare(request)
        sending = asyncio.ensure_future(_send_all(socket, words))
        try:
            async for message in socket:
                if message.type is WSMsgType.BINARY:
                    output.receive(page, message.data)
                elif message.type is WSMsgType.TEXT:
                    with contextlib.suppress(orjson.JSONDecodeError):
                        said = orjson.loads(message.data)
                        if isinstance(said, dict):
                            output.told(page, said)
        except FeedError as error:
            await socket.close(code=1008, message=str(error).encode())
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return socket

    async def report(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._guarded(request).report())

    async def start(self, request: web.Request) -> web.StreamResponse:
        output, show_id = self._guarded(request), request.match_info["show"]
        body = await request_body(request, MOST_BODY)
        try:
            wish = orjson.loads(body)
        except orjson.JSONDecodeError:
            wish = None
        if not isinstance(wish, dict):
            return _refuse('send a JSON object, for example {"record": true}')
        try:
            target = self._target(wish, show_id)
            look = look_of(wish, output.language)
            await asyncio.to_thread(target.check)
            state = output.start(target, look)
        except OutError as error:
            return _refuse(str(error))
        return web.json_response({"kind": state.kind, "what": state.what}, status=202)

    async def stop(self, request: web.Request) -> web.StreamResponse:
        ended = await self._guarded(request).stop(request.query.get("what", ""))
        return web.json_response({"ended": ended})

    def _target(self, wish: Mapping[str, Any], show_id: str) -> Any:
        if isinstance(wish.get("push"), str) and "record" not in wish:
            return parse_push(wish["push"])
        if wish.get("record") is True and "push" not in wish:
            return Record(default_file(self._backend.recordings, show_id, time.localtime()))
        raise OutError('say either "push", an RTMP address, or "record": true')

    def _guarded(self, request: web.Request) -> ShowOutput:
        output = self._output(request)
        may_host(request, self._backend.shop_of(request.match_info["show"]))
        return output

    def _output(self, request: web.Request) -> ShowOutput:
        output = self._backend.output(request.match_info["show"])
        if output is None:
            raise web.HTTPNotFound(text="There is no such show, or the server is still loading.")
        return output


def look_of(wish: Mapping[str, Any], language: str) -> Look:
    """Return how the host wants the show to look; its language when nothing is said.

    Raises OutError.
    """
    layout = wish.get("layout", "landscape")
    if layout not in SIZES:
        raise OutError(f"the layout is one of {', '.join(SIZES)}")
    said = wish.get("language", language)
    captions = wish.get("captions", said)
    for value in (said, captions):
        if not isinstance(value, str) or not re.fullmatch("[a-z]{2}|", value):
            raise OutError("languages have two letters; captions may be empty")
    return Look(layout, said or language, captions)


def _refuse(words: str) -> web.Response:
    return web.json_response({"error": words}, status=400)


async def _send_all(socket: web.WebSocketResponse, words: asyncio.Queue[str | None]) -> None:
    while (word := await words.get()) is not None:
        await socket.send_str(word)
    await socket.close()
