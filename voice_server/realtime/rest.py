"""The small HTTP routes of the API: ephemeral secrets and the list of models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from voice_server.ids import IdFactory, new_id
from voice_server.realtime.api_errors import ApiError
from voice_server.realtime.customer import Customer
from voice_server.realtime.effects import WireError
from voice_server.realtime.events import WireModel
from voice_server.realtime.ports import PRINCIPAL, RealtimeBackend
from voice_server.realtime.rest_backend import json_body
from voice_server.realtime.secrets import (
    SECONDS_DEFAULT,
    SECONDS_LEAST,
    SECONDS_MOST,
    EphemeralSecrets,
)
from voice_server.realtime.session_config import SessionConfig, SessionDefaults
from voice_server.realtime.validation import parse

MODELS = ("voice-server", "voice-server-transcribe", "voice-server-speech")
"""What ``/v1/models`` lists. Any name is accepted: the server has one brain."""


class ExpiresAfter(WireModel):
    """When a secret expires."""

    anchor: Literal["created_at"] = "created_at"
    seconds: int = Field(default=SECONDS_DEFAULT, ge=SECONDS_LEAST, le=SECONDS_MOST)


class SecretRequest(WireModel):
    """The body of ``POST /v1/realtime/client_secrets``."""

    expires_after: ExpiresAfter | None = None
    session: dict[str, Any] | None = None
    customer: Customer | None = None
    """Who the client is: an addition of ours, for shops whose customers have logged in."""


class SecretsApi:
    """Issues ``ek_`` secrets; the session a secret carries is checked now, not at its use."""

    def __init__(
        self,
        secrets: EphemeralSecrets,
        defaults: Callable[[], SessionDefaults],
        new_id: IdFactory = new_id,
        *,
        for_request: Callable[[web.Request], tuple[str, RealtimeBackend]] | None = None,
    ) -> None:
        """``for_request`` finds the shop of a request, which is then the only one of its secret."""
        self._for_request = for_request
        self._secrets = secrets
        self._defaults = defaults
        self._new_id = new_id

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer with a secret. Raises ApiError."""
        principal = request.get(PRINCIPAL)
        if principal is not None and principal.kind == "ephemeral":
            raise ApiError(
                403, "An ephemeral secret cannot make another one.", code="insufficient_permissions"
            )
        shop, defaults = "", self._defaults()
        if self._for_request is not None:
            shop, backend = self._for_request(request)
            defaults = replace(backend.defaults, voices=backend.voices())
        try:
            wanted = parse(SecretRequest, await json_body(request))
            session = wanted.session or {}
            config = SessionConfig.initial(defaults).updated(session)
        except WireError as error:
            raise ApiError.of(error) from None
        lifetime = wanted.expires_after or ExpiresAfter()
        customer = wanted.customer.agreed() if wanted.customer is not None else None
        value, expires_at = self._secrets.issue(
            session, lifetime.seconds, shop=shop, customer=customer
        )
        shown = config.effective(self._new_id("sess"))
        return web.json_response({"value": value, "expires_at": expires_at, "session": shown})


async def list_models(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /v1/models``."""
    return web.json_response({"object": "list", "data": [_model(name) for name in MODELS]})


async def get_model(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /v1/models/{model}``. Raises ApiError."""
    name = request.match_info["model"]
    if name not in MODELS:
        raise ApiError(404, f"The model '{name}' does not exist.", code="model_not_found")
    return web.json_response(_model(name))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "voice-server"}
