"""Reaching the human behind a SIP line: a call of our own, the summary spoken, then the transfer.

The caller waits on their line meanwhile.  Whatever fails brings them back to us with words: the
human is busy, does not pick up, or the exchange refuses the transfer.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import orjson

from voice_server.audio.pcm import Audio
from voice_server.audio.resample import Resampler
from voice_server.speech.engine import SPEAKING_RATE, EngineError
from voice_server.telephony.answers import RING_S, sip_headers
from voice_server.telephony.line import Line
from voice_server.telephony.pacer import Pacer
from voice_server.telephony.phrases import PhonePhrase, phrase
from voice_server.telephony.ports import TelephonyBackend
from voice_server.telephony.rtp import Packet
from voice_server.telephony.sdp import Sound
from voice_server.telephony.sip_calling import (
    BUSY,
    NO_ANSWER,
    Answered,
    CallingEffect,
    Ended,
    SipCalling,
)
from voice_server.telephony.sip_core import Address, Note, Send
from voice_server.telephony.sip_link import own_host, rtp_socket
from voice_server.telephony.sip_refer import target_uri

log = logging.getLogger(__name__)

SPEAK_S = 8.0
"""A summary that is not spoken by then: the human is joined without it."""

PICK_UP_S = 0.6
"""Between the human's picking up and the first word: a receiver is on its way to an ear."""


@dataclass(slots=True)
class _Leg:
    """One consultation."""

    done: asyncio.Future[Answered | Ended]
    rtp: asyncio.DatagramTransport | None = None
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class Consultations:
    """All consultation legs of a SIP server."""

    def __init__(
        self,
        backend: TelephonyBackend,
        contact: Callable[[Address], Address],
        send: Callable[[bytes, Address], None],
        now: Callable[[], float],
    ) -> None:
        """``contact`` and ``send`` are those of the server whose socket is shared."""
        self._backend = backend
        self._send = send
        self._now = now
        trunk = backend.trunk
        self._core = SipCalling(
            contact=contact, new_token=lambda: secrets.token_hex(8),
            user=trunk.user, password=trunk.password,
        )  # fmt: skip
        self._legs: dict[str, _Leg] = {}
        self._timer: asyncio.TimerHandle | None = None

    def takes(self, data: bytes, peer: Address) -> bool:
        """Take a datagram of one of our legs; False for the others."""
        effects = self._core.receive(data, peer, self._now())
        if effects is None:
            return False
        self._perform(effects)
        return True

    async def reach(
        self, target: str, where: str, peer: Address, line: Line, details: Mapping[str, str],
    ) -> tuple[str, str, str]:  # fmt: skip
        """Call the human and tell who comes.

        Returns the leg's key, what it is called in Replaces, and "" for a human who is there; else
        "", "" and why not.  The leg stays up until :meth:`end`.  Cancelling ends it.
        """
        uri = target_uri(target, where)
        if not uri:
            return "", "", "no address"
        summary = asyncio.ensure_future(self._summary(line, details))
        key = ""
        try:
            key, leg = await self._ring(uri, peer, line, details)
            ended = await leg.done
            if isinstance(ended, Ended):
                summary.cancel()
                self._forget(key)
                return "", "", _why(ended.status)
            await self._say(leg, ended.sound, await summary)
            if leg.gone.is_set():
                self._forget(key)
                return "", "", "hung up"
            return key, self._core.replaces(key), ""
        except BaseException:
            summary.cancel()
            self.end(key)
            raise

    async def _ring(
        self, uri: str, peer: Address, line: Line, details: Mapping[str, str]
    ) -> tuple[str, _Leg]:
        ours = self._backend.sip.host or own_host(peer)
        leg = _Leg(asyncio.get_running_loop().create_future())
        rtp = leg.rtp = await rtp_socket(ours, lambda data, sender: None)
        media = (ours, int(rtp.get_extra_info("sockname")[1]))
        headers = [(name.lower(), value) for name, value in sip_headers(details, "X-").items()]
        key, effects = self._core.invite(
            "", line.number, peer, "", media, RING_S, self._now(), uri=uri, extra=headers
        )
        self._legs[key] = leg
        self._perform(effects)
        return key, leg

    async def _summary(self, line: Line, details: Mapping[str, str]) -> Audio | None:
        """Return the spoken summary, None where nothing can be said."""
        speak = self._backend.speak
        if speak is None:
            return None
        text, language = details.get("summary", ""), line.staff_language
        if not text:
            language = details.get("language", line.language)
            text = phrase(PhonePhrase.WHISPER, language)
        try:
            async with asyncio.timeout(SPEAK_S):
                return await speak(shop=line.shop, text=text, language=language)
        except (TimeoutError, EngineError) as error:
            log.warning("a summary was not spoken: %s", error or type(error).__name__)
            return None

    async def _say(self, leg: _Leg, sound: Sound, audio: Audio | None) -> None:
        """Play the summary to the human, in real time."""
        if audio is None or leg.rtp is None:
            return
        codec, rtp = sound.codec, leg.rtp
        narrow = Resampler(SPEAKING_RATE, codec.rate).process(audio)
        size = codec.rate // 50
        padded = np.concatenate([narrow, np.zeros(-narrow.size % size, np.float32)])
        data = codec.encode(padded.astype(np.float32))
        length = codec.frame_bytes(20)
        sequence, stamp = secrets.randbelow(1 << 15), secrets.randbelow(1 << 31)
        source = secrets.randbelow(1 << 32)

        def send(frame: bytes) -> None:
            nonlocal sequence, stamp
            packet = Packet(sound.kind, sequence & 0xFFFF, stamp & 0xFFFFFFFF, source, frame, False)
            sequence, stamp = sequence + 1, stamp + size
            if not rtp.is_closing():
                rtp.sendto(packet.pack(), (sound.host, sound.port))

        pacer = Pacer(send)
        pacer.fill(codec.silence * size)  # opens the human's side of a NAT
        try:
            await asyncio.sleep(PICK_UP_S)
            for start in range(0, len(data), length):
                if leg.gone.is_set():
                    return
                pacer.put(data[start : start + length])
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.2)
        finally:
            pacer.close()

    def end(self, key: str) -> None:
        """Hang up a leg, ringing or not. Idempotent."""
        if key in self._legs:
            self._perform(self._core.hang_up(key, self._now()))
            self._forget(key)

    def _forget(self, key: str) -> None:
        leg = self._legs.pop(key, None)
        if leg is not None and leg.rtp is not None:
            leg.rtp.close()

    def _perform(self, effects: list[CallingEffect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self._send(effect.data, effect.to)
            elif isinstance(effect, Note):
                log.warning("%s", effect.text)
            elif effect.key in self._legs and isinstance(effect, Answered | Ended):
                leg = self._legs[effect.key]
                if not leg.done.done():
                    leg.done.set_result(effect)
                elif isinstance(effect, Ended):
                    leg.gone.set()
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self._core.next_deadline()
        if at is not None:
            delay = max(0.0, at - self._now())
            self._timer = asyncio.get_running_loop().call_later(delay, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._perform(self._core.tick(self._now()))

    def close(self) -> None:
        """The server stops."""
        for key in list(self._legs):
            self.end(key)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def read_wish(text: str) -> tuple[str, bool, dict[str, str]]:
    """Return target, whether it is warm, and details of what a bridge wants ("REFER ...")."""
    first, _, news = text.partition("\n")
    target = re.sub(r"^REFER ", "", first)
    wish = orjson.loads(news) if news else {}
    return target, wish.get("warm") is not False, wish.get("details") or {}


def _why(status: int) -> str:
    if status in BUSY:
        return "busy"
    return "no answer" if status in NO_ANSWER or not status else f"refused ({status})"
