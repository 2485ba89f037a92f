"""What the staff behind the phones needs of a shop: its language, translation, spoken words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from voice_server.desks import OpenDesks
from voice_server.dialogue.llm.model import LanguageModel
from voice_server.speech.engine import Audio, EngineError
from voice_server.tenants import Tenants

SPOKEN_MOST_S = 45.0
"""A summary for a colleague is some sentences; a longer one would keep the caller waiting."""


class CallStaff:
    """Joins the telephone with desks and voices."""

    def __init__(
        self, tenants: Tenants, desks: OpenDesks, model: Callable[[], LanguageModel | None]
    ) -> None:
        """``model``: that of the desks' translations."""
        self._tenants = tenants
        self._desks = desks
        self._model = model

    def language(self, shop: str) -> str:
        """Return the company's language, the shop's first one while its desk is not open."""
        desk = self._desks.get(shop)
        if desk is not None:
            return desk.calls.internal_language
        return self._tenants.get(shop).shop.default_language

    async def translate(self, *, shop: str, text: str, language: str) -> str:
        """See :class:`voice_server.telephony.ports.TranslateForStaff`.

        The embedded model does not: it has callers to answer, ten tokens a second.
        """
        desk, model = self._desks.get(shop), self._model()
        if desk is None or model is None or model.embedded:
            return ""
        done = await desk.translator.translate(text, language, desk.calls.internal_language)
        return done.text if done.ok else ""

    async def speak(self, *, shop: str, text: str, language: str) -> Audio:
        """See :class:`voice_server.telephony.ports.SpeakText`."""
        services = self._tenants.get(shop).services
        if services is None:
            raise EngineError("the engines are still being loaded")
        pieces: list[Audio] = []
        length = 0
        async for chunk in services.tts.speak(text, language=language):
            pieces.append(chunk.audio)
            length += chunk.audio.size
            if length > SPOKEN_MOST_S * 24_000:
                break
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
