"""After our stream: the webhooks by which a caller reaches a human, or comes back.

``/telephony/{vendor}/after``            our stream has ended: what comes next?
``/telephony/{vendor}/whisper``          a human has picked up: what shall they hear?
``/telephony/{vendor}/dialled``          the attempt to reach a human is over

Asterisk's dialplan asks ``after`` for the target, and ``whisper`` for one ``field`` of what is
known of the caller, or for the summary as ``field=sound`` (wav).
"""

from __future__ import annotations

import asyncio
import io
import logging
import wave

from aiohttp import web

from voice_server.audio.pcm import encode_pcm16
from voice_server.audio.resample import Resampler
from voice_server.speech.engine import SPEAKING_RATE, EngineError
from voice_server.telephony import answers
from voice_server.telephony.calls import Full, Outcome
from voice_server.telephony.endpoint import (
    CALL_ID,
    TelephonyEndpoint,
    first,
    respond,
)
from voice_server.telephony.phrases import LOCALES, PhonePhrase, phrase
from voice_server.telephony.ports import Meter, TelephonyBackend

log = logging.getLogger(__name__)

SPEAK_S = 8.0
"""A summary that is not spoken by then: the human is joined without it."""

_RESULT = ("DialCallStatus", "DialStatus", "status")
_REACHED = frozenset({"completed", "answered", "answer"})
_VONAGE_FAILED = frozenset({"timeout", "failed", "rejected", "unanswered", "busy", "cancelled"})


class Handovers:
    """The handlers."""

    def __init__(
        self, backend: TelephonyBackend, meter: Meter, endpoint: TelephonyEndpoint
    ) -> None:
        """``endpoint`` has the calls, and knows which requests can be trusted."""
        self._backend = backend
        self._meter = meter
        self._endpoint = endpoint
        self._calls = endpoint.calls

    async def after(self, request: web.Request) -> web.StreamResponse:
        """Our stream has ended: to a human, or the end."""
        vendor, fields, _ = await self._endpoint.trusted(request)
        call_id, now = first(fields, CALL_ID), self._endpoint.now()
        outcome = self._calls.outcomes.take(call_id, now)
        if vendor == "asterisk":
            if outcome is not None:
                self._calls.outcomes.put(_told(call_id), outcome, now)
            return web.Response(text=outcome.target if outcome is not None else "")
        if outcome is None or not outcome.target:
            return respond(answers.hang_up(vendor))
        whisper = ""
        if outcome.warm:
            key = self._backend.new_id("wh")
            self._calls.outcomes.put(key, outcome, now)
            whisper = self._endpoint.public_url(request, f"/telephony/{vendor}/whisper?call={key}")
        to = answers.Handover(
            outcome.target,
            caller_id=outcome.called,
            whisper_url=whisper,
            after_url=self._endpoint.public_url(request, f"/telephony/{vendor}/dialled"),
            fields=outcome.details,
        )
        return respond(answers.hand_over(vendor, to))

    async def whisper(self, request: web.Request) -> web.StreamResponse:
        """A human has picked up: a summary, which the caller does not hear."""
        vendor, _, _ = await self._endpoint.trusted(request)
        key = request.query.get("call", "")
        if vendor == "asterisk":
            return await self._tell_asterisk(request, key)
        outcome = self._calls.outcomes.take(key, self._endpoint.now()) or Outcome("")
        text, language = summary(outcome)
        return respond(answers.whisper(vendor, text, LOCALES.get(language, LOCALES["en"])))

    async def _tell_asterisk(self, request: web.Request, call_id: str) -> web.StreamResponse:
        outcome = self._calls.outcomes.look(_told(call_id), self._endpoint.now())
        wanted = request.query.get("field", "summary")
        if outcome is None or (wanted == "sound" and not outcome.warm):
            raise web.HTTPNotFound(text="")
        text, language = summary(outcome)
        if wanted != "sound":
            known = {**outcome.details, "summary": text}
            return web.Response(text=answers.ascii_text(known.get(wanted, "")))
        sound = await self._spoken(outcome.shop, text, language)
        return web.Response(body=sound, content_type="audio/wav")

    async def _spoken(self, shop: str, text: str, language: str) -> bytes:
        """Return a sentence as wav of 8 kHz. Raises HTTPServiceUnavailable."""
        speak = self._backend.speak
        try:
            if speak is None:
                raise EngineError("nothing speaks here")
            async with asyncio.timeout(SPEAK_S):
                audio = await speak(shop=shop, text=text, language=language)
        except (TimeoutError, EngineError) as error:
            log.warning("a summary was not spoken: %s", error or type(error).__name__)
            raise web.HTTPServiceUnavailable(text="") from None
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(encode_pcm16(Resampler(SPEAKING_RATE, 8000).process(audio)))
        return out.getvalue()

    async def dialled(self, request: web.Request) -> web.StreamResponse:
        """The attempt to reach a human is over: the end, or back to us with words."""
        vendor, fields, _ = await self._endpoint.trusted(request)
        call_id = first(fields, CALL_ID)
        result = first(fields, _RESULT).lower()
        reached = result in _REACHED
        if vendor == "vonage" and result not in _VONAGE_FAILED:
            # It tells every step of the second leg; our answer counts only where that has failed.
            if reached:
                self._calls.transfer_ended(call_id, result)
            return respond(answers.carry_on(vendor))
        self._calls.transfer_ended(call_id, result or "unknown")
        if reached:
            return respond(answers.hang_up(vendor))
        log.info("a transfer failed (%s, %s): the caller comes back", vendor, result or "unknown")
        self._meter.count("calls_transfer_failed_total", vendor=vendor)
        try:
            self._endpoint.check_room()
        except Full:
            return respond(answers.hang_up(vendor))
        return self._endpoint.returned(request, vendor, fields)


def summary(outcome: Outcome) -> tuple[str, str]:
    """Return what the human hears, and in which language."""
    if words := outcome.details.get("summary"):
        return words, outcome.staff_language or outcome.language
    return phrase(PhonePhrase.WHISPER, outcome.language), outcome.language


def _told(call_id: str) -> str:
    return f"told {call_id}"
