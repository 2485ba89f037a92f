"""What all calls share, whoever carries them: events in, commands out, and what a bridge must do.

A bridge translates one vendor's wire into these and back.  Bridges are sans-I/O: no clock, socket,
task or random inside; the shell moves the messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from voice_server.audio.g711 import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw
from voice_server.audio.pcm import Audio, decode_pcm16, encode_pcm16

DIGITS = frozenset("0123456789*#ABCD")
"""What a keypad can send (ITU-T Q.23)."""

TEXT_LIMIT = 65_536
"""Characters of one text message of a vendor. Two seconds of base64 at 16 kHz are 85 kB; vendors
send 20 to 200 ms, so a longer one is a mistake or an attack."""

BINARY_LIMIT = 65_536
"""Bytes of one binary message: Asterisk's own limit is 65 500."""

WORD_LIMIT = 256
"""Characters kept of a number, an id or a parameter of the vendor."""


class Encoding(StrEnum):
    """How samples are written."""

    ULAW = "PCMU"
    ALAW = "PCMA"
    PCM16 = "L16"
    """Little-endian signed 16-bit; bridges swap the bytes where a vendor wants big-endian."""


_CODERS: Mapping[
    Encoding, tuple[Callable[[bytes | bytearray | memoryview], Audio], Callable[[Audio], bytes]]
] = {
    Encoding.ULAW: (decode_ulaw, encode_ulaw),
    Encoding.ALAW: (decode_alaw, encode_alaw),
    Encoding.PCM16: (decode_pcm16, encode_pcm16),
}


@dataclass(frozen=True, slots=True)
class Codec:
    """Sound of one direction of a call, mono."""

    encoding: Encoding
    rate: int
    """Samples per second."""

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample."""
        return 2 if self.encoding is Encoding.PCM16 else 1

    @property
    def silence(self) -> bytes:
        """One sample of silence."""
        return {Encoding.ULAW: b"\xff", Encoding.ALAW: b"\xd5", Encoding.PCM16: b"\0\0"}[
            self.encoding
        ]

    def frame_bytes(self, length_ms: int) -> int:
        """Return the bytes of ``length_ms`` of sound."""
        return self.rate * length_ms // 1000 * self.sample_bytes

    def decode(self, data: bytes) -> Audio:
        """Return float32 [n] at :attr:`rate`. Raises ValueError if a sample is cut in two."""
        return _CODERS[self.encoding][0](data)

    def encode(self, audio: Audio) -> bytes:
        """Return float32 [n] at :attr:`rate` as bytes."""
        return _CODERS[self.encoding][1](audio)


ULAW_8K = Codec(Encoding.ULAW, 8_000)
ALAW_8K = Codec(Encoding.ALAW, 8_000)
PCM_8K = Codec(Encoding.PCM16, 8_000)
PCM_16K = Codec(Encoding.PCM16, 16_000)
PCM_24K = Codec(Encoding.PCM16, 24_000)

# ----------------------------------------------------------------- messages


@dataclass(frozen=True, slots=True)
class Close:
    """End the line to the vendor. ``code`` is a websocket close code; TCP ignores it."""

    code: int = 1000
    reason: str = ""


Message = str | bytes | Close
"""What goes over the line: text, binary, or its end."""

# ------------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class Started:
    """The call is up: sound may flow. The first event of every call, and there is only one."""

    call_id: str
    """The vendor's id of the call (not of the stream), for duplicates, transfer and support."""
    stream_id: str
    codec: Codec
    caller: str = ""
    """E.164 or whatever the vendor says; "" when it says nothing or the caller hides it."""
    called: str = ""
    direction: Literal["inbound", "outbound"] = "inbound"
    language: str = ""
    """What the vendor's flow says of the caller's language (BCP 47), "" if nothing."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """The operator's own, from TwiML, the dialplan or Architect. Untrusted text."""


@dataclass(frozen=True, slots=True)
class Media:
    """Sound of the caller in the call's codec."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Gap:
    """Sound of the caller is missing: ``lost_ms`` of it, as far as the vendor's numbers tell."""

    lost_ms: float
    concealed: bool = False
    """Something was made up in its place and came as sound; False: time is to go on in silence."""


@dataclass(frozen=True, slots=True)
class CodecChanged:
    """From now on sound is like this, in both directions."""

    codec: Codec


@dataclass(frozen=True, slots=True)
class Dtmf:
    """The caller pressed a key."""

    digit: str
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class MarkReached:
    """Everything sent before this mark has been played, or was cleared."""

    name: str


@dataclass(frozen=True, slots=True)
class Hold:
    """The vendor holds (or releases) the call: no sound flows meanwhile."""

    on: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The protocol wants this sent back at once. The shell sends it; nobody else cares."""

    message: Message


@dataclass(frozen=True, slots=True)
class Fault:
    """The other side broke its protocol. ``fatal``: the call cannot go on and must be ended.

    ``text`` is for the log: it names what was wrong, never the caller or what was said.
    """

    text: str
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """The call is over. The last event of every call that has started."""

    reason: str


@dataclass(frozen=True, slots=True)
class Transferred:
    """What became of a transfer (bridges with ``reports_transfer``)."""

    reached: bool
    """The caller is with the human; False: the caller is still ours."""
    result: str
    """For the record: "answered", "busy", "no answer"."""


CallEvent = (
    Started
    | Media
    | Gap
    | CodecChanged
    | Dtmf
    | MarkReached
    | Hold
    | Answer
    | Fault
    | Transferred
    | Stopped
)

# ----------------------------------------------------------------- commands


@dataclass(frozen=True, slots=True)
class SendAudio:
    """Play this to the caller: whole samples in the call's codec."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """Tell me when everything sent so far has been played (bridges with ``marks``)."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Forget what has not been played yet (bridges with ``clears``)."""


@dataclass(frozen=True, slots=True)
class SendDtmf:
    """Press these keys towards the other side (bridges with ``sends_dtmf``)."""

    digits: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """Hand the caller to ``target`` (a number, SIP address or queue) and leave the call.

    ``details`` ("summary", "language", "reason", ...) reach the human, by voice or on a screen, as
    far as the vendor can (Genesys output variables, SIP headers).
    """

    target: str
    details: Mapping[str, str] = field(default_factory=dict)
    warm: bool = True
    """Tell the human before joining; False is blind."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""

    reason: str = "completed"


CallCommand = SendAudio | Mark | Clear | SendDtmf | Transfer | HangUp

# ------------------------------------------------------------------- bridge


@dataclass(frozen=True, slots=True)
class Features:
    """What a vendor's wire can do, and how it wants its sound."""

    marks: bool = False
    clears: bool = False
    sends_dtmf: bool = False
    buffers: bool = True
    """The vendor plays at its own pace what comes early; False: one frame every 20 ms, exactly."""
    reports_transfer: bool = False
    """The call stays ours until a Transferred says what became of it; else the vendor's flow sees
    to that, and brings the caller back."""
    fills: bool = False
    """Silence is sent too: trunks and NATs take a stream without packets for a dead one."""
    frame_ms: int = 20
    """Sound is sent in pieces of this length."""
    lead_ms: float = 200.0
    """Speech sent ahead of its playing. A buffer that can be cleared may hold more: it rides over
    jitter of the network. Without ``clears`` it is what a barge-in cannot take back."""


class Bridge(Protocol):
    """One call on one vendor's wire. Made for one line, thrown away after it.

    Neither method raises, whatever comes: what the other side does wrong is a :class:`Fault`.
    Before :class:`Started` and after :class:`Stopped` no Media, Dtmf or mark is reported, and
    commands for sound are dropped.
    """

    @property
    def vendor(self) -> str:
        """The name in routes, configuration and metrics."""

    @property
    def features(self) -> Features:
        """What this wire can do."""

    def receive(self, message: str | bytes) -> list[CallEvent]:
        """Take one message of the vendor (text or binary frame; any piece of a TCP stream)."""

    def send(self, command: CallCommand) -> list[Message]:
        """Return what must go over the line for ``command``."""

    def lost(self) -> list[CallEvent]:
        """The line has ended without goodbye: Stopped, if the call had started and not ended."""
