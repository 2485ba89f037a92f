"""Errors of the HTTP routes, in the shape OpenAI's SDKs read."""

from __future__ import annotations

from aiohttp import web

from voice_server.realtime.effects import WireError

RETRY_AFTER_S = 5
"""What a client is asked to wait when the server is full."""


class ApiError(Exception):
    """A request cannot be served: its status, its code and words for its author."""

    def __init__(self, status: int, message: str, *, code: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param

    @classmethod
    def of(cls, error: WireError) -> ApiError:
        """Return the same complaint as an HTTP error."""
        return cls(400, error.message, code=error.code, param=error.param)

    def response(self) -> web.Response:
        """Return the HTTP response."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        body = {
            "error": {
                "message": self.message,
                "type": kind,
                "param": self.param,
                "code": self.code,
            }
        }
        headers = {"Retry-After": str(RETRY_AFTER_S)} if self.status == 503 else None
        return web.json_response(body, status=self.status, headers=headers)
