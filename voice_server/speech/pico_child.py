"""The Pico process: native speech in six languages for whoever writes JSON lines to it.

SVOX Pico is small C code of 2009 (Apache-2.0; here by the package ``ttspico``, which carries its
voices).  It can crash on odd input, so it lives here, behind a process boundary: this file imports
nothing of the rest of the server and is run by its path (``python -I pico_child.py``).

The protocol is that of child.py; the one request:

    -> {"id": 1, "do": "speech", "text": "Guten Tag.", "voice": "de-DE", "percent": 100}
    <- {"id": 1, "rate": 16000, "bytes": 45440}
       followed by that many bytes of little-endian 16-bit mono PCM
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

RATE = 16_000
"""Hz of every Pico voice."""

LANGUAGES = ("de-DE", "en-GB", "en-US", "es-ES", "fr-FR", "it-IT")
"""The voices that exist, one female speaker each."""

_FORBIDDEN = str.maketrans({"<": " ", ">": " ", "\0": " "})
"""Pico reads tags (``<volume level="500"/>``) in its text, and text only up to a zero byte."""


class NotInstalled(Exception):
    """No Pico library, or none of its voices."""


class Pico:
    """The library; a language is loaded at its first sentence."""

    def __init__(self) -> None:
        """Import the library and look for its voices. Raises NotInstalled."""
        try:
            import ctts
        except ImportError as error:
            raise NotInstalled(
                f"Pico is not installed: `pip install ttspico` (it needs a C compiler); {error}"
            ) from error
        self._library = ctts
        folders = [Path(sys.prefix) / "languages", Path("/usr/share/pico/lang")]
        self._folder, self._languages = next(
            ((folder, found) for folder in folders if (found := _languages(folder))),
            (folders[0], []),
        )
        if not self._languages:
            raise NotInstalled(f"Pico's voices are in none of {', '.join(map(str, folders))}")
        self._engines: dict[str, Any] = {}

    def voices(self) -> list[tuple[str, str, str]]:
        """Return (language, voice, gender) of every voice."""
        return [(language, language, "F") for language in self._languages]

    def speech(self, text: str, voice: str, percent: int) -> bytes:
        """Return 16-bit PCM at RATE. Raises ValueError for a voice that is not there."""
        if voice not in self._languages:
            raise ValueError(f"Pico has no voice {voice!r}")
        if voice not in self._engines:
            self._engines[voice] = self._library.engine_create(
                language=voice, language_dir=f"{self._folder}/"
            )
        engine = self._engines[voice]
        self._library.engine_set_property(engine, "rate", percent)
        pieces: list[bytes] = []

        def keep(_format: tuple[int, int, int], pcm: bytes, _last: int) -> None:
            pieces.append(pcm)

        self._library.engine_speak(engine, text.translate(_FORBIDDEN), keep)
        return b"".join(pieces)


def _languages(folder: Path) -> list[str]:
    """Return the languages of which ``folder`` has both halves: text analysis and speaker."""
    return [
        language
        for language in LANGUAGES
        if (folder / f"{language}_ta.bin").is_file() and any(folder.glob(f"{language}_*_sg.bin"))
    ]


def answer(pico: Pico, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the answer to one request and the PCM that follows it."""
    if request["do"] != "speech":
        raise ValueError(f"unknown request {request['do']!r}")
    pcm = pico.speech(request["text"], request["voice"], request["percent"])
    return {"rate": RATE, "bytes": len(pcm)}, pcm


def _write(out: BinaryIO, head: dict[str, Any], pcm: bytes = b"") -> None:
    out.write(json.dumps(head, ensure_ascii=False).encode() + b"\n" + pcm)
    out.flush()


def main() -> int:
    """Serve stdin to stdout until stdin ends; return the exit status."""
    # The server stops us by closing our stdin; a Ctrl-C meant for it must not end us first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What the library prints must not get between our lines: it goes to stderr instead.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        pico = Pico()
    except NotInstalled as error:
        _write(out, {"error": str(error)})
        return 1
    with contextlib.suppress(BrokenPipeError):
        _write(out, {"version": "1.0", "voices": pico.voices()})
        for line in sys.stdin.buffer:
            request = json.loads(line)
            try:
                head, pcm = answer(pico, request)
            except (KeyError, TypeError, ValueError, RuntimeError) as error:
                head, pcm = {"error": str(error)}, b""
            _write(out, {"id": request["id"], **head}, pcm)
    return 0


if __name__ == "__main__":
    sys.exit(main())
