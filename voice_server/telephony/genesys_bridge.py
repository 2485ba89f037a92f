"""Genesys Cloud AudioHook, protocol version 2, as the Audio Connector speaks it.

JSON for control, binary frames for sound (µ-law 8 kHz of the customer).  Every message counts:
``seq`` is ours, ``clientseq`` the last we saw; the client does the same, and a wrong number ends
the session.  The client opens, we answer; the client closes, we answer: we only *ask* for the end.

https://developer.genesys.cloud/devapps/audiohook
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from voice_server.telephony.bridge_base import (
    NORMAL,
    JsonBridge,
    Life,
    Wrong,
    dump,
    key,
    printable,
    table,
    word,
    words,
)
from voice_server.telephony.call import (
    ULAW_8K,
    Answer,
    CallEvent,
    Close,
    Fault,
    Features,
    Gap,
    HangUp,
    Hold,
    Media,
    Message,
    Started,
    Stopped,
    Transfer,
)

PROBE = "00000000-0000-0000-0000-000000000000"
"""Conversation id of a connection test: Genesys opens and closes, there is no caller."""

FRAME_MS = 200
"""Genesys answers more than some messages a second with error 429; 200 ms stay below."""

DRIFT_MS = 250.0
"""Position beyond the sound we got: more than this is sound that is missing."""

_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")


class GenesysBridge(JsonBridge):
    """One AudioHook session."""

    vendor = "genesys"
    features = Features(clears=True, frame_ms=FRAME_MS, lead_ms=400.0)
    _KIND = "type"

    def __init__(self) -> None:
        super().__init__()
        self._session = ""
        self._seq = 0
        self._client_seq = 0
        self._channels = 1
        self._heard_bytes = 0
        self._skipped_ms = 0.0
        self._closing = False
        self._probe = False

    # -------------------------------------------------------------- receiving

    def _opened(self, event: dict[str, Any]) -> list[CallEvent]:
        if self._session:
            raise Wrong("a second open on the same line")
        parameters = table(event, "parameters")
        offers = parameters.get("media")
        media = _choose(offers if isinstance(offers, list) else [])
        self._session = word(event.get("id"))
        if media is None:
            self.life = Life.OVER
            return [
                Answer(self._say("disconnect", reason="error", info="only PCMU is spoken here")),
                Fault("no offered media is PCMU at 8000 Hz", fatal=True),
            ]
        self._channels = len(media["channels"])
        answer = Answer(self._say("opened", media=[media], startPaused=False))
        conversation = word(parameters.get("conversationId"))
        if conversation == PROBE:
            self._probe = True
            return [answer]
        person = parameters.get("participant")
        person = person if isinstance(person, dict) else {}
        own = words(parameters.get("customConfig")) | words(parameters.get("inputVariables"))
        started = Started(
            call_id=conversation,
            stream_id=self._session,
            codec=ULAW_8K,
            caller=_number(person.get("ani")),
            called=_number(person.get("dnis")),
            language=word(parameters.get("language")),
            parameters=own,
        )
        return [answer, *self._start(started)]

    def _binary(self, message: bytes) -> list[CallEvent]:
        if self._channels == 2:  # interleaved: the customer is the first
            message = message[0::2]
        self._heard_bytes += len(message)
        return [Media(message)]

    def _ping(self, event: dict[str, Any]) -> list[CallEvent]:
        return [Answer(self._say("pong")), *self._missing(event)]

    def _missing(self, event: dict[str, Any]) -> list[CallEvent]:
        """Compare the client's position with the sound that came."""
        position = duration_ms(event.get("position"))
        if position is None or self.life is not Life.LIVE:
            return []
        lost = position - self._skipped_ms - self._heard_bytes / 8
        if lost <= DRIFT_MS:
            return []
        self._skipped_ms += lost
        return [Gap(lost)]

    def _paused(self, event: dict[str, Any]) -> list[CallEvent]:
        return [Hold(on=True)]

    def _resumed(self, event: dict[str, Any]) -> list[CallEvent]:
        self._skipped_ms += duration_ms(_inside(event, "discarded")) or 0.0
        return [Hold(on=False)]

    def _discarded(self, event: dict[str, Any]) -> list[CallEvent]:
        lost = duration_ms(_inside(event, "discarded")) or 0.0
        self._skipped_ms += lost
        return [Gap(lost)] if lost else []

    def _pressed(self, event: dict[str, Any]) -> list[CallEvent]:
        return [key(_inside(event, "digit"))]

    def _updated(self, event: dict[str, Any]) -> list[CallEvent]:
        return [Answer(self._say("updated"))]

    def _noted(self, event: dict[str, Any]) -> list[CallEvent]:
        return []

    def _error(self, event: dict[str, Any]) -> list[CallEvent]:
        parameters = table(event, "parameters")
        text = printable(str(parameters.get("message", "")))[:120]
        return [Fault(f"Genesys reports error {word(parameters.get('code'))}: {text}")]

    def _closed(self, event: dict[str, Any]) -> list[CallEvent]:
        answers: list[CallEvent] = [Answer(self._say("closed")), Answer(Close(NORMAL, "closed"))]
        was, self.life = self.life, Life.OVER
        if was is Life.LIVE:
            reason = word(_inside(event, "reason")) or "end"
            return [*answers, Stopped(f"closed by Genesys: {reason}")]
        if not self._probe and not self._closing:
            answers.append(Fault("a close before the open"))
        return answers

    def _numbering(self, event: dict[str, Any]) -> list[CallEvent]:
        """Check the numbers every message carries; a wrong one is told, the message still counts.

        Raises Wrong for what is not for us.
        """
        if event.get("version") != "2":
            raise Wrong("a protocol version that is not 2", fatal=True)
        if self._session and word(event.get("id")) != self._session:
            raise Wrong("a message of another session on this line")
        seq, known = event.get("seq"), event.get("serverseq", 0)
        if type(seq) is not int or type(known) is not int:
            raise Wrong("a message without seq or serverseq")
        faults: list[CallEvent] = []
        before, self._client_seq = self._client_seq, seq
        if seq != before + 1:
            faults.append(Fault(f"seq {seq} after {before}"))
        if known > self._seq:
            faults.append(Fault(f"serverseq {known} beyond what we sent, {self._seq}"))
        return faults

    # ---------------------------------------------------------------- sending

    def _say(self, kind: str, **parameters: Any) -> str:
        self._seq += 1
        return dump(
            {
                "version": "2",
                "type": kind,
                "seq": self._seq,
                "clientseq": self._client_seq,
                "id": self._session,
                "parameters": parameters,
            }
        )

    def _audio(self, data: bytes) -> list[Message]:
        return [] if self._closing else [data]

    def _clear(self) -> list[Message]:
        return [self._say("event", entities=[{"type": "barge_in", "data": {}}])]

    def _hang_up(self, command: HangUp) -> list[Message]:
        """Ask Genesys to close; its flow goes on after the Audio Connector action."""
        return self._leave({"action": "finished", "reason": command.reason})

    def _transfer(self, command: Transfer) -> list[Message]:
        """Ask Genesys to close; the flow reads the target from the output variables."""
        return self._leave({"action": "transfer", "target": command.target, **command.details})

    def _leave(self, variables: dict[str, str]) -> list[Message]:
        if not self._session:
            return [Close(NORMAL, "no session")]
        self._closing = True
        return [self._say("disconnect", reason="completed", outputVariables=variables)]

    def send(self, command: Any) -> list[Message]:
        """Return what must go over the line; after a hang-up the client still has to close."""
        was = self.life
        messages = super().send(command)
        if self._closing and was is Life.LIVE and self.life is Life.OVER:
            self.life = Life.LIVE
        return messages

    _HANDLERS: ClassVar = {
        "open": _opened,
        "close": _closed,
        "ping": _ping,
        "paused": _paused,
        "resumed": _resumed,
        "discarded": _discarded,
        "dtmf": _pressed,
        "update": _updated,
        "playback_started": _noted,
        "playback_completed": _noted,
        "error": _error,
    }


def duration_ms(value: Any) -> float | None:
    """Return an ISO 8601 duration ("PT1M30.5S") in ms, None for what is none."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) and len(value) < 64 else None
    if found is None or not any(found.groups()):
        return None
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000


def _choose(offers: list[Any]) -> dict[str, Any] | None:
    """Return the offer we take: the customer's voice alone, else both channels."""
    fitting = [
        offer
        for offer in offers
        if isinstance(offer, dict)
        and offer.get("format") == "PCMU"
        and offer.get("rate") == 8000
        and isinstance(offer.get("channels"), list)
    ]
    for channels in (["external"], ["external", "internal"]):
        for offer in fitting:
            if offer["channels"] == channels:
                return {"type": "audio", "format": "PCMU", "channels": channels, "rate": 8000}
    return None


def _inside(event: dict[str, Any], name: str) -> Any:
    parameters = event.get("parameters")
    return parameters.get(name) if isinstance(parameters, dict) else None


def _number(value: Any) -> str:
    """Return "tel:+3225550123" or "sip:..." without the scheme of a telephone."""
    return word(value).removeprefix("tel:")
