"""Where a show goes: a platform's RTMP address, or a file. What ffmpeg is told of each.

The stream key is a password.  ffmpeg would take it in its address, where every user of the machine
can read it in the process list; so the address there ends before the key, and the key goes in as
ffmpeg's option ``rtmp_playpath`` through a preset file, which is a pipe of the process.  It is in
no state, log line or error: ffmpeg's words are searched for it.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

AUDIO = ("-c:a", "aac", "-b:a", "128k", "-ar", "44100", "-ac", "2")
"""What platforms take; sound comes mono and leaves on both sides."""
RW_TIMEOUT_S = 10
"""A platform that takes nothing for so long is gone."""
LEAST_FREE = 256_000_000
"""Bytes. A recording ends while the disk still has so much: the models' and customers' files go on
being written."""


Stream = TypeVar("Stream")


class OutError(Exception):
    """It cannot be sent there; the message says why, for the host."""


class Target(Protocol):
    """Where the show goes."""

    @property
    def kind(self) -> str:
        """Either "push" or "record"."""

    @property
    def what(self) -> str:
        """For the host and the log; without secrets."""

    def open(self) -> tuple[list[str], bytes]:
        """Return ffmpeg's arguments after the input's, and its preset (b"" for none).

        Raises OutError.
        """

    def check(self) -> None:
        """Look now and then whether it can go on. Raises OutError."""

    def hopeless(self, words: str) -> bool:
        """Whether trying again is in vain after ffmpeg ended with ``words``."""

    def clean(self, words: str) -> str:
        """Return words of ffmpeg without secrets."""


_RTMP = re.compile(r"rtmps?://")
_SAFE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Push:
    """An RTMP(S) address; the part after the last slash is the stream key."""

    server: str
    """"rtmp://live.twitch.tv/app"."""
    app: str
    key: str = field(repr=False)
    kind: str = "push"

    @property
    def what(self) -> str:
        """The server."""
        return self.server

    def open(self) -> tuple[list[str], bytes]:
        """Return FLV over RTMP; the key is in the preset."""
        preset = f"rtmp_app={self.app}\nrtmp_playpath={self.key}\n"
        options = ("-f", "flv", "-flvflags", "no_duration_filesize")
        patience = ("-rw_timeout", str(RW_TIMEOUT_S * 1_000_000))
        return [*AUDIO, *options, *patience, self.server], preset.encode()

    def check(self) -> None:
        """A server is not asked."""

    def hopeless(self, words: str) -> bool:
        """Never: a wrong key and a stream that is still open sound the same."""
        del words
        return False

    def clean(self, words: str) -> str:
        """Return words without the key."""
        return words.replace(self.key, "•••")


def parse_push(address: str) -> Push:
    """Return an address as platforms give it, "rtmp://host/app/key". Raises OutError.

    The message of the error never has the address, which holds the key.
    """
    address = address.strip()
    if not _RTMP.match(address) or not _SAFE.fullmatch(address):
        raise OutError("a show is pushed to rtmp://host/app/key or rtmps://host/app/key")
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise OutError("the RTMP address has no valid host or port") from None
    if not host or parts.username is not None:
        raise OutError("the RTMP address needs a host, without user and password before it")
    app, _, key = parts.path.strip("/").rpartition("/")
    key += f"?{parts.query}" if key and parts.query else ""  # some platforms' keys have one
    if not app or not key:
        raise OutError("the RTMP address needs an app and a stream key: rtmp://host/app/key")
    name = f"[{host}]" if ":" in host else host
    server = f"{parts.scheme}://{name}{f':{port}' if port else ''}/{app}"
    return Push(server, app, key)


def read_push(wish: str) -> Push:
    """Return an address, or the one in the first line of a file ("@/etc/live/twitch").

    Raises OutError.
    """
    if not wish.startswith("@"):
        return parse_push(wish)
    try:
        lines = Path(wish[1:]).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not text"
        raise OutError(f"the file {wish[1:]} cannot be read: {words}") from None
    return parse_push(lines[0] if lines else "")


@dataclass(slots=True)
class Record:
    """A file. While it runs it is ``name.part.mp4``, in fragments: a crash loses two seconds."""

    path: Path
    least_free: int = LEAST_FREE
    kind: str = "record"
    parts: int = 0

    @property
    def what(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def part(self) -> Path:
        """The file that is written now."""
        number = f"-{self.parts}" if self.parts > 1 else ""
        return self.path.with_name(f"{self.path.stem}{number}.part.mp4")

    @property
    def whole(self) -> Path:
        """What becomes of it."""
        return self.part.with_name(self.part.name.replace(".part.mp4", ".mp4"))

    def open(self) -> tuple[list[str], bytes]:
        """Return a fragmented MP4; files that are there are never written over."""
        self.check()
        self.parts += 1
        while self.part.exists() or self.whole.exists():
            self.parts += 1
        flags = ("-movflags", "+frag_keyframe+delay_moov+default_base_moof")
        return [*AUDIO, *flags, "-flush_packets", "1", "-f", "mp4", str(self.part)], b""

    def check(self) -> None:
        """Raises OutError while the disk has too little space."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.path.parent).free
        except OSError as error:
            raise OutError(f"the folder cannot be written to: {error.strerror}") from None
        if free < self.least_free:
            raise OutError(f"the disk is nearly full: {free // 1_000_000} MB are left")

    def hopeless(self, words: str) -> bool:
        """A full disk stays full, a folder stays forbidden."""
        return bool(re.search("No space left|Permission denied|Read-only|quota|too large", words))

    def clean(self, words: str) -> str:
        """Return words without the folder."""
        return words.replace(f"{self.path.parent}/", "")


def piped(stream: Stream | None) -> Stream:
    """Return a stream of a process that was begun with a pipe for it."""
    if stream is None:
        raise OutError("the process has no pipe")
    return stream


def parse_record(wish: str) -> Record:
    """Return a recording into a file that the operator names. Raises OutError."""
    path = Path(wish).expanduser()
    if path.suffix.lower() != ".mp4":
        raise OutError("a show is recorded into a file that ends in .mp4")
    return Record(path.absolute())
