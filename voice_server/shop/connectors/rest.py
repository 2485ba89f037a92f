"""Any shop with a JSON interface over HTTP, described by a mapping file."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from voice_server.shop.connectors.documents import Doc, Malformed
from voice_server.shop.connectors.http import Http, Reply, Request
from voice_server.shop.connectors.ledger import Ledger
from voice_server.shop.connectors.mapped import MappedPlatform
from voice_server.shop.connectors.mapping import Call, PlatformMap, WriteCall, fill
from voice_server.shop.connectors.vendor import shortened
from voice_server.shop.platform import PlatformDown, Refused


class RestPlatform(MappedPlatform):
    """A shop behind a JSON interface.

    Args:
        http: its connections.
        url: what all paths of the mapping follow.
        headers: what proves who we are (:func:`authorization`).
        mapping: where it keeps what we ask.
        ledger: of writes.
    """

    name = "rest"

    def __init__(
        self,
        http: Http,
        url: str,
        headers: Mapping[str, str],
        mapping: PlatformMap,
        ledger: Ledger,
    ) -> None:
        super().__init__(mapping, ledger, http.limits)
        self._http = http
        self._url = url
        self._headers = dict(headers)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _fetch(self, label: str, call: Call, values: Mapping[str, str]) -> Doc | None:
        reply = await self._call(label, call, values, {}, write=False)
        if reply.status == 404:
            return None
        if not reply.ok:
            raise PlatformDown(f"the platform answered {reply.status} ({label})")
        return reply.json()

    async def _perform(self, label: str, call: WriteCall, values: Mapping[str, str]) -> Doc:
        headers = {call.key_header: values["key"]} if call.key_header else {}
        reply = await self._call(label, call.call, values, headers, write=True)
        if reply.ok:
            return reply.json() if reply.body.strip() else Doc({})
        try:
            words = reply.json().text(call.reason, "")
        except Malformed:
            words = ""
        raise Refused(shortened(words or f"answered {reply.status}"))

    async def _call(
        self,
        label: str,
        call: Call,
        values: Mapping[str, str],
        headers: Mapping[str, str],
        *,
        write: bool,
    ) -> Reply:
        quoted = {name: _segment(value) for name, value in values.items()}
        url = self._url + str(fill(call.path, quoted))
        if call.query:
            url += "?" + urlencode({name: fill(text, values) for name, text in call.query.items()})
        body = None if call.body is None else fill(call.body, values)
        given = {**self._headers, **headers}
        return await self._http.call(Request(label, call.method, url, {}, given, body, write))


def authorization(kind: str, header: str, secrets: tuple[str, ...]) -> dict[str, str]:
    """Return the headers of an ``[auth]`` table.

    Args:
        kind: "bearer" (a token), "basic" (user and password), "header" (a key), or "none".
        header: the name of the header of kind "header".
        secrets: token or key; user and password.

    Raises:
        ValueError: the kind is unknown.
    """
    match kind:
        case "none":
            return {}
        case "bearer":
            return {"Authorization": f"Bearer {secrets[0]}"}
        case "basic":
            pair = base64.b64encode(":".join(secrets).encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        case "header":
            return {header: secrets[0]}
    raise ValueError(kind)


def _segment(value: str) -> str:
    """Return a value as one segment of a path, so that it cannot lead to another path."""
    return quote(value, safe="") if value.strip(".") else quote(f"%{value}", safe="")
