"""YouTube's streaming chat on a real socket: a gRPC server that answers as it is told.

Each call takes the next script: frames to send, pauses in seconds, and a status to end with.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio

from voice_server.live.chat.protos import youtube_chat_pb2 as pb
from voice_server.live.chat.youtube_source import METHOD

Step = bytes | float | Any
"""A frame, a pause in seconds, or a ``grpc.StatusCode`` alone or with its details."""


@dataclass
class FakeYouTube:
    """What was asked, and where it listens."""

    port: int = 0
    requests: list[pb.LiveChatMessageListRequest] = field(default_factory=list)
    metadata: list[dict[str, str]] = field(default_factory=list)
    open_calls: int = 0

    def channel(self) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(f"127.0.0.1:{self.port}")


@asynccontextmanager
async def fake_youtube(*scripts: Sequence[Step], known: bool = True) -> AsyncIterator[FakeYouTube]:
    """Serve; after the last script a call stays open in silence. ``known``: the method exists."""
    fake = FakeYouTube()
    waiting = list(scripts)

    async def stream_list(request: bytes, context: Any) -> AsyncIterator[bytes]:
        fake.requests.append(pb.LiveChatMessageListRequest.FromString(request))
        fake.metadata.append({key: str(value) for key, value in context.invocation_metadata()})
        fake.open_calls += 1
        try:
            for step in waiting.pop(0) if waiting else (3600.0,):
                if isinstance(step, bytes):
                    yield step
                elif isinstance(step, float):
                    await asyncio.sleep(step)
                else:
                    code, details = step if isinstance(step, tuple) else (step, "")
                    await context.abort(code, details)
        finally:
            fake.open_calls -= 1

    server = grpc.aio.server()
    if known:
        service, _, method = METHOD.lstrip("/").partition("/")
        handler = grpc.unary_stream_rpc_method_handler(stream_list)
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(service, {method: handler}),)
        )
    fake.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield fake
    finally:
        await server.stop(None)


def message(
    ident: str,
    text: str = "",
    kind: str = "TEXT_MESSAGE_EVENT",
    *,
    published: str = "",
    author: str = "Ana",
    moderator: bool = False,
    **details: Any,
) -> pb.LiveChatMessage:
    """Return one message as YouTube streams it; ``details`` are fields of the snippet."""
    snippet = pb.LiveChatMessageSnippet(
        type=kind,
        live_chat_id="chat",
        display_message=text,
        published_at=published,
        **details,
    )
    details_of = pb.LiveChatMessageAuthorDetails(
        channel_id=author.lower(), display_name=author, is_chat_moderator=moderator
    )
    return pb.LiveChatMessage(id=ident, snippet=snippet, author_details=details_of)


def frame(*messages: pb.LiveChatMessage, token: str = "t1", offline: str = "") -> bytes:  # noqa: S107
    """Return a response with a page token."""
    page = pb.LiveChatMessageListResponse(
        items=messages, next_page_token=token, offline_at=offline or None
    )
    return page.SerializeToString()
