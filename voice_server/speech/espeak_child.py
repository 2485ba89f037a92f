"""The espeak-ng process: phonemes and robotic speech for whoever writes JSON lines to it.

espeak-ng is GPL-3.0-or-later, so it lives here, behind a process boundary: this file imports
nothing of the rest of the server and is run by its path (``python -I espeak_child.py``).

Protocol.  One JSON object a line on stdin, one on stdout, answers in the order of the requests:

    -> {"id": 1, "do": "phonemes", "parts": ["bonjour"], "voice": "roa/fr", "tie": ""}
    <- {"id": 1, "parts": ["bɔ̃ʒˈuʁ"]}
    -> {"id": 2, "do": "speech", "text": "bonjour", "voice": "roa/fr", "words_per_minute": 175}
    <- {"id": 2, "rate": 22050, "phones": [["b", 0.0, 41.0], ...], "bytes": 31000}
       followed by that many bytes of little-endian 16-bit mono PCM
    <- {"id": 3, "error": "words"}  for a request that could not be answered

The first line, unasked: ``{"version": "1.52", "voices": [["fr-fr", "roa/fr", "M"], ...]}``
or ``{"error": "words"}`` before leaving.  The process leaves when its stdin ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import importlib.util
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

# Names and numbers of espeak-ng's public C interface (speak_lib.h).
_AUDIO_SYNCHRONOUS = 2
_PHONEME_EVENTS, _PHONEME_IPA, _DO_NOT_EXIT = 0x0001, 0x0002, 0x8000
_UTF8, _END_PAUSE = 1, 0x1000
_POSITION_CHARACTER = 1
_RATE = 1
_EVENT_END_OF_LIST, _EVENT_PHONEME = 0, 7
_IPA, _TIE = 0x02, 0x80
_BUFFER_MS = 200
_GENDERS = {1: "M", 2: "F"}
_LONGEST_DATA_PATH = 140
"""espeak-ng copies the path of its data into 160 bytes and appends file names to it."""


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class NotInstalled(Exception):
    """No usable espeak-ng library on this machine."""


def libraries() -> Iterator[tuple[str, str | None]]:
    """Yield (library, folder of its data or None for the built-in one), best first."""
    wheel = importlib.util.find_spec("espeakng_loader")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent
        for name in ("libespeak-ng.so", "libespeak-ng.dylib", "espeak-ng.dll"):
            if (folder / name).exists():
                yield str(folder / name), str(folder / "espeak-ng-data")
    for name in ("libespeak-ng.so.1", "libespeak-ng.so", "libespeak-ng.1.dylib"):
        yield name, None
    found = ctypes.util.find_library("espeak-ng")
    if found is not None:
        yield found, None


class Espeak:
    """The library, initialised once."""

    def __init__(self) -> None:
        """Load the first library that works.

        Raises NotInstalled with what was tried.
        """
        tried = []
        for library, data in libraries():
            try:
                self._library = ctypes.CDLL(library)
            except OSError as error:
                tried.append(f"{library} ({error})")
                continue
            self.rate = self._initialise(data)
            if self.rate > 0:
                break
            tried.append(f"{library} (its voice data could not be read)")
        else:
            raise NotInstalled(
                "espeak-ng is not installed: `pip install espeakng-loader`, or the system package "
                f"espeak-ng (Debian: apt install libespeak-ng1); tried {'; '.join(tried) or '-'}"
            )
        self._voice = ""
        self._samples: list[bytes] = []
        self._phones: list[tuple[str, int]] = []
        self._callback = _Callback(self._collect)  # kept: the library holds only a bare pointer
        self._library.espeak_SetSynthCallback(self._callback)
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._library.espeak_TextToPhonemes.argtypes = (
            ctypes.POINTER(ctypes.c_void_p),
            ctypes.c_int,
            ctypes.c_int,
        )
        self._library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        self._library.espeak_Info.restype = ctypes.c_char_p
        self._library.espeak_Synth.argtypes = (
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        )

    def _initialise(self, data: str | None) -> int:
        if data is not None and len(data.encode()) > _LONGEST_DATA_PATH:
            short = Path(tempfile.mkdtemp(prefix="espeak-")) / "espeak-ng-data"
            short.symlink_to(data, target_is_directory=True)
            data = str(short)
        options = _PHONEME_EVENTS | _PHONEME_IPA | _DO_NOT_EXIT
        path = None if data is None else data.encode()
        return int(self._library.espeak_Initialize(_AUDIO_SYNCHRONOUS, _BUFFER_MS, path, options))

    @property
    def version(self) -> str:
        """The library's version, such as ``1.52.0``."""
        return str(self._library.espeak_Info(None).decode().split(" ")[0])

    def voices(self) -> list[tuple[str, str, str]]:
        """Return (language, voice, M or F or -) of every voice, in the library's own order."""
        listed = self._library.espeak_ListVoices(None)
        voices = []
        for index in range(10_000):
            if not listed[index]:
                break
            voice = listed[index].contents
            # languages: a priority byte, then a zero-terminated tag
            tag = ctypes.string_at(voice.languages + 1).decode()
            voices.append((tag, voice.identifier.decode(), _GENDERS.get(voice.gender, "-")))
        return voices

    def _select(self, voice: str) -> None:
        if voice != self._voice:
            if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
                raise ValueError(f"espeak-ng has no voice {voice!r}")
            self._voice = voice

    def phonemes(self, text: str, voice: str, tie: str) -> str:
        """Return IPA of ``text``; ``tie`` (one character or none) joins multi-letter phonemes."""
        self._select(voice)
        mode = _IPA | (_TIE | ord(tie) << 8 if tie else 0)
        buffer = ctypes.create_string_buffer(text.encode())
        position = ctypes.c_void_p(ctypes.addressof(buffer))
        clauses = []
        while position.value:  # the library advances it clause by clause, to NULL at the end
            clause = self._library.espeak_TextToPhonemes(ctypes.byref(position), _UTF8, mode)
            clauses.append((clause or b"").decode().strip())
        return " ".join(clause for clause in clauses if clause)

    def speech(
        self, text: str, voice: str, words_per_minute: int
    ) -> tuple[bytes, list[tuple[str, float, float]]]:
        """Return 16-bit PCM at ``rate`` and (IPA, start ms, end ms) of each phoneme."""
        self._select(voice)
        self._library.espeak_SetParameter(_RATE, words_per_minute, 0)
        self._samples, self._phones = [], []
        data = text.encode() + b"\0"
        status = self._library.espeak_Synth(
            data, len(data), 0, _POSITION_CHARACTER, 0, _UTF8 | _END_PAUSE, None, None
        )
        if status != 0:
            raise ValueError(f"espeak-ng could not speak (status {status})")
        pcm = b"".join(self._samples)
        end = len(pcm) // 2
        starts = [sample for _, sample in self._phones] + [end]
        scale = 1000 / self.rate
        phones = [
            (symbol, round(start * scale, 2), round(min(max(following, start), end) * scale, 2))
            for (symbol, start), following in zip(self._phones, starts[1:], strict=True)
            if symbol
        ]
        return pcm, phones

    def _collect(self, wave: Any, count: int, events: Any) -> int:
        if wave and count > 0:
            self._samples.append(ctypes.string_at(wave, count * 2))
        for index in range(100_000):
            event = events[index]
            if event.type == _EVENT_END_OF_LIST:
                break
            if event.type == _EVENT_PHONEME:
                symbol = event.id.string.decode("utf-8", "ignore")
                self._phones.append((symbol, event.sample))
        return 0


def answer(espeak: Espeak, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the answer to one request and the PCM that follows it (empty for phonemes)."""
    match request["do"]:
        case "phonemes":
            parts = [
                espeak.phonemes(part, request["voice"], request["tie"]) for part in request["parts"]
            ]
            return {"parts": parts}, b""
        case "speech":
            pcm, phones = espeak.speech(
                request["text"], request["voice"], request["words_per_minute"]
            )
            return {"rate": espeak.rate, "phones": phones, "bytes": len(pcm)}, pcm
        case other:
            raise ValueError(f"unknown request {other!r}")


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
        espeak = Espeak()
    except NotInstalled as error:
        _write(out, {"error": str(error)})
        return 1
    with contextlib.suppress(BrokenPipeError):
        _write(out, {"version": espeak.version, "voices": espeak.voices()})
        for line in sys.stdin.buffer:
            request = json.loads(line)
            try:
                head, pcm = answer(espeak, request)
            except (KeyError, TypeError, ValueError) as error:
                head, pcm = {"error": str(error)}, b""
            _write(out, {"id": request["id"], **head}, pcm)
    return 0


if __name__ == "__main__":
    sys.exit(main())
