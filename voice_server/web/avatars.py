"""The routes of the avatars: rigs, models that may be shown, and the host's list with licences."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
from aiohttp import web

from voice_server.live.looks import Look, look, looks

_HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}


def add_avatars(app: web.Application, folder: Path) -> None:
    """Serve the avatars of a folder; a model whose licence forbids a shop's show is refused."""

    async def find(request: web.Request) -> Look:
        found = await asyncio.to_thread(look, folder, request.match_info["look"])
        if found is None:
            raise web.HTTPNotFound
        if found.refusal:
            words = f"The avatar {found.title} may not be shown: {found.refusal}."
            body = orjson.dumps({"error": words}).decode()
            raise web.HTTPForbidden(text=body, content_type="application/json", headers=_HEADERS)
        return found

    async def rig(request: web.Request) -> web.StreamResponse:
        found = await find(request)
        headers = {**_HEADERS, "Content-Type": "application/json"}
        if found.kind == "rig":
            return web.FileResponse(folder / found.id / "rig.json", headers=headers)
        text = (folder / found.id / "rig.json").read_text(encoding="utf-8")
        about = {**orjson.loads(text), "credit": found.credit}
        return web.Response(body=orjson.dumps(about), headers=headers)

    async def model(request: web.Request) -> web.StreamResponse:
        found = await find(request)
        if found.model is None:
            raise web.HTTPNotFound
        headers = {**_HEADERS, "Content-Type": "model/gltf-binary"}
        return web.FileResponse(found.model, headers=headers)

    async def every(request: web.Request) -> web.StreamResponse:
        found = await asyncio.to_thread(looks, folder)
        return web.json_response([entry.as_json() for entry in found], headers=_HEADERS)

    app.router.add_get("/avatars/{look}/rig.json", rig)
    app.router.add_get("/avatars/{look}/model", model)
    app.router.add_get("/api/live/avatars", every)
