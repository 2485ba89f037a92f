"""What the server does while nobody is connected: sentences are spoken ahead, memory given back.

``callers`` returns how many are connected, by whatever way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from voice_server.engines import Voices
from voice_server.heap import give_back
from voice_server.phone_lines import lines, spoken_by_phone
from voice_server.speech.tts.speaker import Phrase
from voice_server.tenants import Tenants

WARM_POLL_S = 1.0
"""How often the preparation of fixed sentences looks whether the callers have gone."""

TIDY_S = 10.0
"""How often is looked whether callers have come or gone, to give memory back."""


async def warm_phrases(tenants: Tenants, voices: Voices, callers: Callable[[], int]) -> None:
    """Put the fixed sentences of every language into the phrase cache, behind all else."""
    for tenant in tenants:
        assert tenant.dialogue is not None, "called when loaded"  # noqa: S101
        speaker = voices.speaker_for(tenant.shop)
        for language in tenant.shop.languages:
            for clause in tenant.dialogue.fixed(language):
                await _quiet(callers)
                await speaker.warm([Phrase(clause.text, clause.language)])
    for line, language, text in spoken_by_phone(lines(tenant.shop for tenant in tenants)):
        speaker = voices.speaker_for(tenants.get(line.shop).shop)
        await _quiet(callers)
        await speaker.warm([Phrase(text, language)])


async def tidy(callers: Callable[[], int]) -> None:
    """Give free memory back after loading, and whenever the last caller has gone."""
    used = True
    while True:
        if used and not callers():
            await asyncio.to_thread(give_back)
            used = False
        await asyncio.sleep(TIDY_S)
        used = used or bool(callers())


async def _quiet(callers: Callable[[], int]) -> None:
    """Wait while anybody is connected: callers need the cores more than the cache does."""
    while callers():  # noqa: ASYNC110 - nobody would set it
        await asyncio.sleep(WARM_POLL_S)
