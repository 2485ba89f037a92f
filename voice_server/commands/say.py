"""``voice-server say``: speak a text into a file or the loudspeaker, without a server."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voice_server.config import Settings
from voice_server.logs import configure_logs
from voice_server.speech.engine import SPEAKING_RATE, Audio, EngineError
from voice_server.weights import WeightsMissing, WeightStore

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "say",
        help="speak a text into a wav file",
        description="Speak a text with the shop's voice for a language. Prices, dates and codes "
        "are read as a person would. '-' reads the text from standard input.",
        epilog='Example: voice-server say "De lamp kost € 39,95." --lang nl -o lamp.wav',
    )
    parser.add_argument("text", help="what to say, or - for standard input")
    parser.add_argument("-l", "--lang", default="en", help="ISO 639-1 code (default: en)")
    parser.add_argument("-o", "--out", type=Path, help="wav file; without it, the loudspeaker")
    parser.add_argument("--voice", default="", help="voice id (default: the best of the language)")
    parser.add_argument("--speed", type=float, default=1.0, help="0.5 to 2 (default: 1)")
    parser.add_argument("--voices", action="store_true", help="list the voices instead")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Speak; returns the exit code."""
    configure_logs("text", "warning")
    text = sys.stdin.read() if args.text == "-" else args.text
    if not text.strip() and not args.voices:
        print("voice-server say: there is nothing to say", file=sys.stderr)
        return 2
    if not 0.5 <= args.speed <= 2.0:
        print("voice-server say: --speed must lie between 0.5 and 2", file=sys.stderr)
        return 2
    try:
        return asyncio.run(_say(args, text, settings))
    except (WeightsMissing, EngineError) as error:
        print(f"voice-server say: {error}", file=sys.stderr)
        return 1


async def _say(args: argparse.Namespace, text: str, settings: Settings) -> int:
    from voice_server.engines import load_voices

    voices = await load_voices(settings, WeightStore(settings.models))
    try:
        if args.voices:
            for voice in sorted(voices.speaker.voices(), key=lambda v: (v.language, v.id)):
                print(f"{voice.language:<6} {voice.id:<24} {voice.engine:<8} {voice.quality}")
            return 0
        began, first = time.perf_counter(), 0.0
        pieces: list[Audio] = []
        async for chunk in voices.speaker.speak(
            text, language=args.lang, voice=args.voice, speed=args.speed
        ):
            first = first or time.perf_counter() - began
            pieces.append(chunk.audio)
        total = time.perf_counter() - began
    finally:
        await voices.close()
    audio = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    if not audio.size:
        print("voice-server say: there is nothing to say in this text", file=sys.stderr)
        return 1
    if args.out is None:
        return _play(audio)
    import soundfile

    args.out.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(args.out, audio, SPEAKING_RATE, subtype="PCM_16")
    seconds = audio.size / SPEAKING_RATE
    print(
        f"{args.out}: {seconds:.1f} s of speech, first sound after {first * 1000:.0f} ms, "
        f"all after {total:.1f} s",
        file=sys.stderr,
    )
    return 0


def _play(audio: Audio) -> int:
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        print(
            f"voice-server say: no loudspeaker here ({error}); write a file with -o out.wav",
            file=sys.stderr,
        )
        return 1
    try:
        sounddevice.play(audio, SPEAKING_RATE, blocking=True)
    except sounddevice.PortAudioError as error:
        print(f"voice-server say: {error}; write a file with -o out.wav", file=sys.stderr)
        return 1
    return 0
