"""Bodies of HTTP messages, whole and not too large.

A single ``read(n)`` of aiohttp returns what has arrived so far: a body in several packets would be
cut short.
"""

from __future__ import annotations

import asyncio

from aiohttp import StreamReader, web

BODY_S = 10.0
"""A request whose body is not there after so long is refused: it holds a place."""


async def read_body(content: StreamReader, most: int) -> bytes:
    """Return a body's bytes up to its end, ``most`` of them at most; the deadline is the caller's.

    With one byte more than is allowed a caller sees what is too large. Raises aiohttp.ClientError
    when the other side goes away.
    """
    parts: list[bytes] = []
    size = 0
    while size < most and (part := await content.read(most - size)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


async def request_body(request: web.Request, most: int) -> bytes:
    """Return a request's body. Raises HTTPRequestEntityTooLarge, HTTPRequestTimeout."""
    try:
        async with asyncio.timeout(BODY_S):
            body = await read_body(request.content, most + 1)
    except TimeoutError:
        raise web.HTTPRequestTimeout(text=f"The body was not there within {BODY_S:g} s.") from None
    if len(body) > most:
        raise web.HTTPRequestEntityTooLarge(most, text=f"The body is larger than {most} bytes.")
    return body
