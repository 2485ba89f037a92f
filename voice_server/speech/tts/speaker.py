"""The voice of the server: picks engine and voice, verbalises, remembers, and is never mute."""

from __future__ import annotations

import asyncio
import copy
import logging
import re
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from voice_server.speech.engine import (
    EngineError,
    EngineTimeout,
    EngineUnavailable,
    Quality,
    SpeechChunk,
    TextToSpeech,
    Voice,
)
from voice_server.speech.tts.phrase_cache import PhraseCache, PhraseKey
from voice_server.speech.verbalise import verbalise
from voice_server.speech.workers import Workers

log = logging.getLogger(__name__)

FIRST_CHUNK_S = 2.5
"""Wait for one engine's first chunk before the next engine is tried: the conversation gives a
reply 3 s, and the last resort answers within some 30 ms."""

PATIENT_FIRST_CHUNK_S = 30.0
"""The same for work nobody waits for."""

NEXT_CHUNK_S = 10.0
"""Wait for each further chunk: synthesis is faster than speech, so this is a hung engine."""

_CACHE_DEADLINE_S = 0.25
"""A phrase is read in some ms; a disk slower than this must not hold up the reply."""

_REMEMBERED = 4_096
"""Phrases marked as worth keeping; a shop has some hundreds."""

_REPEATS = 4_096
"""Clauses of which it is known that they were said: at the second time the sound is kept."""

BUSY_S = 1.0
"""An engine with this much work waiting is passed over, if the next voice is not a robot's: in the
same voice the answer would come later than a caller takes for silence (DESIGN: 700 ms)."""

_RANKS = {
    Quality.NATIVE: 0,
    Quality.PLAIN: 1,
    Quality.ACCENTED: 2,
    Quality.EXPERIMENTAL: 3,
    Quality.ROBOTIC: 4,
}
_ENGINES = ("piper", "kokoro", "coqui", "pico", "espeak-ng")
"""Equally good voices in this order: Piper is three times as fast as Kokoro."""

_SAME_LANGUAGE = {"cmn": "zh", "nb": "no", "nn": "no", "iw": "he"}


@dataclass(frozen=True, slots=True)
class Phrase:
    """Something that will be said again and again."""

    text: str
    language: str
    voice: str = ""
    speed: float = 1.0


class Speaker:
    """All engines behind one :class:`TextToSpeech`; it is what a conversation speaks through.

    For a language the voices are tried in this order: the one asked for, those of the operator's
    table, then native before plain, accented, experimental and robotic.  An engine that fails
    before its first chunk is passed over.
    """

    def __init__(
        self,
        engines: Sequence[TextToSpeech],
        *,
        cache: PhraseCache | None = None,
        market: str = "BE",
        preferences: Mapping[str, Sequence[str]] | None = None,
        first_chunk_s: float = FIRST_CHUNK_S,
    ) -> None:
        """Use ``engines``, which the caller owns.

        ``preferences`` maps a language (ISO 639-1 or BCP 47) to voice ids, best first;
        ``market`` (ISO 3166) decides between regional voices and how prices are said.
        """
        self._engines = tuple(engines)
        self._cache = cache
        self._market = market
        self._preferences = {tag.lower(): tuple(ids) for tag, ids in (preferences or {}).items()}
        self._first_chunk_s = first_chunk_s
        self._disk = Workers("phrase-cache")
        self._remembered: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._said_once: OrderedDict[str, None] = OrderedDict()

    def speaking_for(self, market: str, preferences: Mapping[str, Sequence[str]]) -> Speaker:
        """Return a speaker with another shop's market and voices, on the same engines and cache.

        Only the speaker it was made from is closed.
        """
        other = copy.copy(self)
        other._market = market
        other._preferences = {tag.lower(): tuple(ids) for tag, ids in preferences.items()}
        return other

    def voices(self) -> tuple[Voice, ...]:
        """Return the voices of all engines."""
        return tuple(voice for engine in self._engines for voice in engine.voices())

    def voice_for(self, language: str, voice: str = "") -> Voice:
        """Return the voice that would speak. Raises EngineUnavailable."""
        return self._candidates(language, voice)[0][1]

    def remember(self, text: str, language: str) -> None:
        """Mark a text as worth keeping: the next time it is spoken it goes into the cache."""
        key = (verbalise(text, language, self._market), language)
        self._remembered[key] = None
        self._remembered.move_to_end(key)
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)

    async def warm(self, phrases: Iterable[Phrase]) -> int:
        """Speak into the cache what is not there yet, one by one behind all urgent work.

        Returns how many were added.  A phrase that fails is logged and left out.  Cancelling
        keeps what is done.
        """
        added = 0
        for phrase in phrases:
            self.remember(phrase.text, phrase.language)
            try:
                speech = self.speak(
                    phrase.text,
                    language=phrase.language,
                    voice=phrase.voice,
                    speed=phrase.speed,
                    urgent=False,
                )
                fresh = [not chunk.cached async for chunk in speech]
                added += bool(fresh) and all(fresh)
            except EngineError as error:
                log.warning("a phrase in %r could not be prepared: %s", phrase.language, error)
        return added

    async def speak(
        self, text: str, *, language: str, voice: str = "", speed: float = 1.0, urgent: bool = True
    ) -> AsyncIterator[SpeechChunk]:
        """Speak one clause, verbalised, from the cache where it is remembered.

        What is said a second time (the answers everybody asks for) is kept in memory.
        Raises EngineError when no engine could begin, or when one broke off in the middle.
        """
        spoken = verbalise(text, language, self._market)
        if not re.search(r"[^\W_]", spoken):
            return
        keep = (spoken, language) in self._remembered
        failures = []
        for engine, chosen in self._unhurried(self._candidates(language, voice), urgent):
            version = str(getattr(engine, "version", "")) or chosen.engine
            key = PhraseKey(spoken, language, chosen.id, speed, version)
            known = await self._look_up(key)
            if known is not None:
                yield known
                return
            stream = engine.speak(
                spoken, language=chosen.language, voice=chosen.id, speed=speed, urgent=urgent
            )
            said: list[SpeechChunk] = []
            async with aclosing(_with_deadlines(stream, self._patience(urgent))) as chunks:
                try:
                    async for chunk in chunks:
                        said.append(chunk)
                        yield chunk
                except EngineError as error:
                    if said:
                        raise
                    log.warning("%s could not speak %r: %s", chosen.engine, language, error)
                    failures.append(f"{chosen.engine}: {error}")
                    continue
            if not said:
                failures.append(f"{chosen.engine}: said nothing")
                continue
            if keep:
                await self._store(key, said)
            elif self._cache is not None and self._is_repeated(key):
                self._cache.keep_hot(key, said)
            return
        raise EngineError(f"no voice could speak {language!r}: {'; '.join(failures)}")

    def close(self) -> None:
        """Stop reading and writing the cache. The engines stay the caller's."""
        self._disk.close()

    def _patience(self, urgent: bool) -> float:
        return self._first_chunk_s if urgent else PATIENT_FIRST_CHUNK_S

    async def _look_up(self, key: PhraseKey) -> SpeechChunk | None:
        cache = self._cache
        if cache is None:
            return None
        if (hot := cache.get_hot(key)) is not None:
            return hot
        if key not in cache:
            return None
        try:
            return await self._disk.run(
                lambda: cache.get(key), urgent=True, deadline_s=_CACHE_DEADLINE_S
            )
        except EngineTimeout:
            return None  # it is spoken anew

    def _is_repeated(self, key: PhraseKey) -> bool:
        """Tell whether this was said before, lately. Only its hash is remembered."""
        digest = key.digest
        if digest in self._said_once:
            self._said_once.move_to_end(digest)
            return True
        self._said_once[digest] = None
        if len(self._said_once) > _REPEATS:
            self._said_once.popitem(last=False)
        return False

    @staticmethod
    def _unhurried(
        candidates: list[tuple[TextToSpeech, Voice]], urgent: bool
    ) -> list[tuple[TextToSpeech, Voice]]:
        """Return the candidates, a busy first one behind the second if that is no robot."""
        if urgent and len(candidates) > 1:
            (engine, _), (_, second) = candidates[:2]
            busy = float(getattr(engine, "backlog_s", 0.0)) > BUSY_S
            if busy and second.quality is not Quality.ROBOTIC:
                return [candidates[1], candidates[0], *candidates[2:]]
        return candidates

    async def _store(self, key: PhraseKey, said: Sequence[SpeechChunk]) -> None:
        cache = self._cache
        if cache is None:
            return
        try:
            await self._disk.run(lambda: cache.put(key, said), deadline_s=NEXT_CHUNK_S)
        except EngineTimeout as error:
            log.warning("a phrase was not kept: %s", error)

    def _candidates(self, language: str, voice: str) -> list[tuple[TextToSpeech, Voice]]:
        """Return the voices to try, one per engine, best first. Raises EngineUnavailable."""
        base = _base(language)
        region = language.replace("_", "-").partition("-")[2] or self._market
        tag = f"{base}-{region}".lower()
        preferred = self._preferences.get(language.lower()) or self._preferences.get(base, ())

        def rank(item: tuple[int, Voice]) -> tuple[int, int, int, int, int]:
            order, known = item
            engine = _ENGINES.index(known.engine) if known.engine in _ENGINES else len(_ENGINES)
            return (
                known.id != voice,
                preferred.index(known.id) if known.id in preferred else len(preferred),
                _RANKS[known.quality],
                engine if known.language.lower() == tag else engine + len(_ENGINES) + 1,
                order,
            )

        chosen: list[tuple[tuple[int, int, int, int, int], TextToSpeech, Voice]] = []
        for engine in self._engines:
            speaking = [
                item for item in enumerate(engine.voices()) if _base(item[1].language) == base
            ]
            if speaking:
                best = min(speaking, key=rank)
                chosen.append((rank(best), engine, best[1]))
        if not chosen:
            raise EngineUnavailable(f"no voice speaks {language!r}")
        chosen.sort(key=lambda candidate: candidate[0])
        return [(engine, known) for _, engine, known in chosen]


def _base(language: str) -> str:
    base = language.replace("_", "-").split("-")[0].lower()
    return _SAME_LANGUAGE.get(base, base)


async def _with_deadlines(
    stream: AsyncIterator[SpeechChunk], first_s: float
) -> AsyncGenerator[SpeechChunk, None]:
    """Pass chunks on; a late or faulty engine raises EngineError, and is always closed."""
    patience = first_s
    try:
        while True:
            try:
                async with asyncio.timeout(patience):
                    chunk = await anext(stream)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise EngineTimeout(f"no speech within {patience:g} s") from None
            except EngineError:
                raise
            except Exception as error:  # an engine's bug must not silence the others
                log.exception("a speech engine broke its contract")
                raise EngineError(f"unexpected {error!r}") from error
            patience = NEXT_CHUNK_S
            yield chunk
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()
