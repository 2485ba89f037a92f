"""What Whisper says when nobody spoke, and how to tell: pure functions on text and levels.

Trained on subtitles, Whisper fills silence with credits, thanks and loops.  Texts nobody says to
a shop are dropped outright; texts somebody might say only where the audio or the model is weak.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np

from voice_server.audio.pcm import SILENCE_DBFS, level_dbfs
from voice_server.speech.engine import LISTENING_RATE, Audio
from voice_server.speech.stt.decoding import Decoded

SILENT_DBFS = -55.0
"""Loudest tenth of a second below this: nobody spoke.  Quiet speech over a phone is at -45."""

NO_SPEECH = 0.6
"""The no-speech probability from which Whisper's own decoder gives up (Radford et al. 2022)..."""

UNSURE_LOG_PROBABILITY = -1.0
"""...if its mean log-probability is also below this."""

REPETITIVE = 2.4
"""Bytes of text per byte compressed beyond which Whisper is caught in a loop (same source)."""

WEAK_NO_SPEECH = 0.4
WEAK_LOG_PROBABILITY = -0.7
WEAK_DBFS = -45.0
"""Any of these makes a phrase of :data:`DOUBTFUL` unbelievable.  Spoken ones measured: no-speech
up to 0.46 only on 1.7 s cut out of a sentence, log-probability from -0.1 to -0.5."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

NEVER_SAID = re.compile(
    r"amara\.org|sous-titr(?:es|age)|untertitel(?:ung)?\b|ondertitel(?:d|ing)|subt[ií]tulos|"
    r"sottotitoli|legendas? (?:pela|por)|subtitles by|captions? by|"
    r"funk, 20\d\d|zdf, 20\d\d|im auftrag des|swr 20\d\d|radio-canada|"
    r"abonnez-vous|suscr[ií]bete|don't forget to subscribe|tv gelderland",
    re.IGNORECASE,
)
"""Credits of the subtitles Whisper learned from, per language."""

LONGEST_CREDIT = 12
"""Words: a longer text that names subtitles talks about them."""

_BARE_ADDRESS = re.compile(r"\W*www\.\S+\.(?:com|org|de|nl|tv)\W*", re.IGNORECASE)
"""An address and nothing else: another credit.  Inside a sentence somebody says where to look."""

DOUBTFUL = frozenset(
    {
        # en
        "you", "bye", "bye bye", "thank you", "thanks", "thank you very much",
        "thank you for watching", "thanks for watching", "thank you so much", "so", "okay", "oh",
        "the end", "music", "i'm sorry", "see you next time",
        # fr
        "merci", "merci d'avoir regardé", "merci d'avoir regardé cette vidéo", "au revoir",
        "musique", "à bientôt", "merci à tous", "c'est parti",
        # nl
        "muziek", "bedankt voor het kijken", "dank u wel", "dank je wel", "tot de volgende keer",
        "bedankt", "ja", "dank u",
        # de
        "musik", "vielen dank", "vielen dank fürs zuschauen", "danke", "danke fürs zuschauen",
        "bis zum nächsten mal", "tschüss", "das war's",
        # es, it, pt
        "música", "gracias", "gracias por ver el video", "musica", "grazie",
        "grazie per la visione", "obrigado", "obrigado por assistir",
    }
)  # fmt: skip
"""Whole transcripts, normalised, that are as likely invented as said."""


def words(text: str) -> list[str]:
    """Return the words of ``text`` in lower case, without punctuation."""
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


def loudest_dbfs(audio: Audio) -> float:
    """Return the level of the loudest tenth of a second, in dB relative to full scale."""
    span = LISTENING_RATE // 10
    if audio.size <= span:
        return level_dbfs(audio)
    usable = audio[: audio.size // span * span].reshape(-1, span)
    power = float(np.max(np.mean(np.square(usable), axis=1)))
    return max(SILENCE_DBFS, 10 * float(np.log10(power))) if power > 0 else SILENCE_DBFS


def is_repetitive(text: str) -> bool:
    """Tell whether ``text`` compresses as only loops do."""
    data = text.encode()
    return len(data) > 20 and len(data) / len(zlib.compress(data)) > REPETITIVE


def without_loop(text: str) -> str:
    """Return ``text`` once where it is a phrase of two words or more said over and over.

    The last round may be cut short.  "no no" and "bye bye" stay.
    """
    spans = [match.span() for match in _WORD.finditer(text)]
    said = words(text)
    for period in range(2, len(said) // 2 + 1):
        if all(said[i] == said[i - period] for i in range(period, len(said))):
            end = spans[period][0] if period < len(spans) else len(text)
            return text[:end].strip()
    return text


def echoes_hint(text: str, hint: str) -> bool:
    """Tell whether ``text`` holds little but the hint's own words."""
    if not hint:
        return False
    said, names = words(text), set(words(hint))
    return bool(said) and sum(word in names for word in said) >= 0.6 * len(said)


def is_invented(decoded: Decoded, dbfs: float) -> bool:
    """Tell whether nobody said this: ``dbfs`` is the level of the loudest tenth of a second."""
    said = " ".join(words(decoded.text))
    if not said or _BARE_ADDRESS.fullmatch(decoded.text):
        return True
    if NEVER_SAID.search(decoded.text) and said.count(" ") < LONGEST_CREDIT:
        return True
    sure = decoded.log_probability > UNSURE_LOG_PROBABILITY
    if decoded.no_speech_probability > NO_SPEECH and not sure:
        return True
    weak = (
        decoded.no_speech_probability > WEAK_NO_SPEECH
        or decoded.log_probability < WEAK_LOG_PROBABILITY
        or dbfs < WEAK_DBFS
    )
    return weak and said in DOUBTFUL


def needs_second_look(decoded: Decoded) -> bool:
    """Tell whether the trimmed decoding is not to be trusted: unsure, looping or cut off."""
    return (
        decoded.log_probability < UNSURE_LOG_PROBABILITY
        or not decoded.complete
        or is_repetitive(decoded.text)
        or without_loop(decoded.text) != decoded.text
    )


def better(attempts: Sequence[Decoded]) -> Decoded:
    """Return the likeliest of ``attempts`` that does not loop, or of all if all do."""
    straight = [attempt for attempt in attempts if not is_repetitive(attempt.text)]
    return max(straight or attempts, key=lambda attempt: attempt.log_probability)
