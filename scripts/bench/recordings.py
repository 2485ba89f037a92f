"""Fetch real recorded speech for ``scripts/bench/stt.py`` from Debian's packages.

    .venv/bin/python -m scripts.bench.recordings [--to DIR] [en fr es it nl]

The voice prompts of Asterisk (packages asterisk-core-sounds-XX and -XX-wav, CC-BY-SA-3.0; en:
Allison Smith, fr: June Wallack, credits in each package) in telephone quality, with their texts:
one folder per language with ``name.wav`` and ``name.txt``.  Dutch is not among them: its recordings
are the dialogues of the game Fish Fillets (packages fillets-ng-data and -nl, GPL-2.0), acted by
fish, so far harder than a customer.  All stay in the cache; nothing of them is part of this
program.  Needs apt-get and dpkg.
"""

from __future__ import annotations

import argparse
import gzip
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import soundfile

from voice_server.config import cache_root

LANGUAGES = ("en", "fr", "es", "it", "nl")

SHORTEST_S, LONGEST_S, FEWEST_WORDS = 1.5, 14.0, 3
"""What counts as an utterance: shorter prompts are single words without context."""

_UNSPOKEN = re.compile(r"[\d\[\]()<>]")
"""Marks of stage directions and of numbers written in more ways than one."""

_LINE = re.compile(r'dialogId\("([^"/]+)",[^\n]*\)\s*\ndialogStr\("((?:[^"\\]|\\.)*)"\)')
"""A line of the game: who says it, the English of it, and its translation."""


def unpack(package: str, into: Path) -> None:
    """Download a Debian package and unpack it, without installing it."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["apt-get", "download", "-q", package], cwd=folder, check=True)
        (deb,) = Path(folder).glob("*.deb")
        subprocess.run(["dpkg", "-x", str(deb), str(into)], check=True)


def prompts(root: Path) -> Iterator[tuple[str, Path, str]]:
    """Yield each usable recording under an unpacked package: its name, file and text."""
    (listing,) = root.glob("usr/share/doc/*/core-sounds-*.txt.gz")
    (sounds,) = root.glob("usr/share/asterisk/sounds/*_*")
    for line in gzip.decompress(listing.read_bytes()).decode("utf-8-sig").splitlines():
        name, colon, said = line.partition(":")
        wav = sounds / f"{name.strip()}.wav"
        if not colon or line.startswith(";") or _UNSPOKEN.search(said) or not wav.is_file():
            continue
        seconds = soundfile.info(str(wav)).duration
        if SHORTEST_S <= seconds <= LONGEST_S and len(said.split()) >= FEWEST_WORDS:
            yield name.strip().replace("/", "_"), wav, said.strip()


def dialogues(root: Path) -> Iterator[tuple[str, Path, str]]:
    """Yield each usable line of the game's Dutch actors: its name, file and text."""
    game = root / "usr" / "share" / "games" / "fillets-ng"
    for script in sorted(game.glob("script/*/dialogs_nl.lua")):
        sounds = game / "sound" / script.parent.name / "nl"
        for name, said in _LINE.findall(script.read_text(encoding="utf-8")):
            ogg, text = sounds / f"{name}.ogg", said.replace('\\"', '"').strip()
            if "..." in text or _UNSPOKEN.search(text) or not ogg.is_file():
                continue
            seconds = soundfile.info(str(ogg)).duration
            if SHORTEST_S <= seconds <= LONGEST_S and len(text.split()) >= FEWEST_WORDS:
                yield name, ogg, text


def prepare(language: str, to: Path) -> int:
    """Fill ``to`` with one language's utterances; return how many."""
    packages = [f"asterisk-core-sounds-{language}", f"asterisk-core-sounds-{language}-wav"]
    found = prompts
    if language == "nl":
        packages, found = ["fillets-ng-data", "fillets-ng-data-nl"], dialogues
    with tempfile.TemporaryDirectory() as folder:
        for package in packages:
            unpack(package, Path(folder))
        to.mkdir(parents=True, exist_ok=True)
        count = 0
        for name, sound, said in found(Path(folder)):
            samples, rate = soundfile.read(str(sound), dtype="int16")
            soundfile.write(str(to / f"{name}.wav"), samples, rate)
            (to / f"{name}.txt").write_text(said + "\n", encoding="utf-8")
            count += 1
    return count


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("languages", nargs="*", default=list(LANGUAGES))
    parser.add_argument("--to", type=Path, default=cache_root() / "bench" / "speech")
    options = parser.parse_args(arguments)
    for language in options.languages:
        if language not in LANGUAGES:
            parser.error(f"no recordings in {language}; there are {', '.join(LANGUAGES)}")
        folder = options.to / language
        print(f"{prepare(language, folder)} utterances in {folder}")


if __name__ == "__main__":
    main(sys.argv[1:])
