"""A session of the core alone, with counted ids and words for what a test wants to see."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from voice_server.conversation import notices as n
from voice_server.conversation import orders as o
from voice_server.conversation.transcript import History, Item
from voice_server.realtime.effects import Close, Effect, Send
from voice_server.realtime.protocol import RealtimeProtocol
from voice_server.realtime.session_config import SessionConfig, SessionDefaults
from voice_server.speech.engine import Audio, Phone, Transcript

SHOP = SessionDefaults(instructions="You sell mugs.", voices=frozenset({"af_heart", "ff_siwis"}))

_STOCK: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)


def conforms(event: dict[str, Any]) -> None:
    """Fail unless the stock Python SDK's own type accepts the event, required fields and all."""
    if not event["type"].startswith("voice_server."):
        _STOCK.validate_python(event)


@dataclass(frozen=True)
class Shape:
    """A viseme as the speech package makes them."""

    viseme: str
    start_ms: float
    end_ms: float
    weight: float


def mouth_shapes(phones: Sequence[Phone]) -> list[Shape]:
    return [Shape(phone.symbol, phone.start_ms, phone.end_ms, 1.0) for phone in phones]


def tone(ms: float, rate: int = 24_000) -> Audio:
    wave: Audio = (0.3 * np.sin(np.arange(round(rate * ms / 1000)) * 0.1)).astype(np.float32)
    return wave


def pcm(ms: float) -> str:
    """Base64 of that much PCM16 at 24 kHz."""
    return base64.b64encode(bytes(round(ms * 24) * 2)).decode()


class Scene:
    """Keeps what was sent and ordered since the last look."""

    def __init__(
        self,
        *,
        defaults: SessionDefaults = SHOP,
        extensions: str = "",
        transcription: bool = False,
        started: bool = True,
    ) -> None:
        self.history = History()
        counter = itertools.count(1)
        self.protocol = RealtimeProtocol(
            session_id="sess_1",
            history=self.history,
            config=SessionConfig.initial(defaults, transcription=transcription),
            new_id=lambda prefix: f"{prefix}_{next(counter)}",
            extensions=frozenset(extensions.split(",")) if extensions else frozenset(),
            visemes=mouth_shapes,
        )
        self.now = 100.0
        self.log: list[Effect] = []
        if started:
            self.do(self.protocol.start())
            self.log.clear()

    # ---------------------------------------------------------------- acting

    def do(self, effects: list[Effect]) -> list[Effect]:
        self.log += effects
        return effects

    def client(self, kind: str, **fields: Any) -> list[Effect]:
        """The client sends an event."""
        return self.text(orjson.dumps({"type": kind, **fields}).decode())

    def text(self, message: str | bytes) -> list[Effect]:
        return self.do(self.protocol.receive(message, self.now))

    def update(self, **session: Any) -> list[Effect]:
        return self.client("session.update", session=session)

    def says(self, *notices: n.Notice) -> list[Effect]:
        """The conversation reports."""
        effects: list[Effect] = []
        for notice in notices:
            effects += self.do(self.protocol.observe(notice))
        return effects

    def begin_reply(self, reply_id: str = "resp_a", item_id: str = "item_a") -> None:
        self.history.insert(
            Item(item_id, role="assistant", content="output_audio", status="in_progress")
        )
        self.says(n.ReplyStarted(reply_id, item_id))

    def user_turn(self, item_id: str = "item_u", text: str = "how much?") -> None:
        """A whole spoken turn."""
        previous = self.history.insert(Item(item_id, content="input_audio", text=None))
        self.says(
            n.SpeechStarted(item_id, 100),
            n.SpeechStopped(item_id, 900),
            n.UtteranceCommitted(item_id, previous),
            n.TranscriptFinal(item_id, Transcript(text, "en", 0.9, -0.1, 0.0, 800)),
        )

    # --------------------------------------------------------------- looking

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """The JSON events sent so far, of these types (all when none is named)."""
        found = [
            orjson.loads(effect.data)
            for effect in self.log
            if isinstance(effect, Send) and not effect.binary
        ]
        return [event for event in found if not kinds or event["type"] in kinds]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events()]

    def frames(self) -> list[bytes]:
        return [e.data for e in self.log if isinstance(e, Send) and e.binary]

    def orders(self, kind: type[Any] | None = None) -> list[Any]:
        found = [effect for effect in self.log if not isinstance(effect, Send | Close)]
        return [order for order in found if kind is None or isinstance(order, kind)]

    def order(self, kind: type[Any]) -> Any:
        """The one order of that kind."""
        found = self.orders(kind)
        assert len(found) == 1, f"expected one {kind.__name__}, got {found}"
        return found[0]

    def event(self, kind: str) -> dict[str, Any]:
        """The one event of that type."""
        found = self.events(kind)
        assert len(found) == 1, f"expected one {kind}, got {self.types()}"
        return found[0]

    def error(self) -> dict[str, Any]:
        """The one error sent."""
        error: dict[str, Any] = self.event("error")["error"]
        return error

    def configured(self) -> o.Configure:
        configure: o.Configure = self.orders(o.Configure)[-1]
        return configure

    def close(self) -> Close:
        found = [effect for effect in self.log if isinstance(effect, Close)]
        assert len(found) == 1
        return found[0]

    def forget(self) -> None:
        self.log.clear()
