"""What SIP calls say of their sound: the part of SDP (RFC 8866, 3264) that a telephone needs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from voice_server.telephony.call import ALAW_8K, ULAW_8K, Codec

STATIC = {0: ULAW_8K, 8: ALAW_8K}
"""Payload types that need no rtpmap (RFC 3551)."""

_NAMES = {ULAW_8K: "PCMU", ALAW_8K: "PCMA"}


class NoSound(ValueError):
    """The two sides have no sound in common; the text says why (SIP 488)."""


@dataclass(frozen=True, slots=True)
class Sound:
    """How and where a side wants to hear."""

    host: str
    port: int
    codec: Codec
    kind: int
    """Payload type of the codec."""
    events: int | None = None
    """Payload type of telephone-event, None without it."""
    held: bool = False
    """The side does not want to hear now (sendonly, inactive, or address 0.0.0.0)."""


def read_offer(body: str) -> Sound:
    """Return the best sound of an offer: its own order, of what we speak. Raises NoSound."""
    host, port, held = "", 0, False
    kinds: list[int] = []
    maps: dict[int, tuple[str, int]] = {}
    in_audio = in_other = False
    for line in body.splitlines():
        name, _, value = line.strip().partition("=")
        if name == "m":
            in_other = bool(kinds) or not value.startswith("audio ")
            in_audio = not in_other
            if in_audio:
                port, kinds = _media(value)
        elif in_other:
            continue
        elif name == "c" and (found := re.fullmatch(r"IN IP[46] ([0-9A-Za-z.:]+)", value)):
            host = found[1]
        elif name == "a":
            if found := re.match(r"rtpmap:(\d+) ([A-Za-z0-9-]+)/(\d+)", value):
                maps[int(found[1])] = (found[2].upper(), int(found[3]))
            held = held or value in ("sendonly", "inactive")
    if not kinds or not host or not 0 < port < 65536:
        raise NoSound("no audio in the offer")
    named = {_NAMES[codec]: codec for codec in STATIC.values()}
    codecs = {
        kind: named.get(maps[kind][0]) if kind in maps else STATIC.get(kind) for kind in kinds
    }
    events = next((kind for kind in kinds if maps.get(kind) == ("TELEPHONE-EVENT", 8000)), None)
    for kind, codec in codecs.items():
        if codec is not None:
            return Sound(host, port, codec, kind, events, held or host == "0.0.0.0")  # noqa: S104
    raise NoSound("neither PCMU nor PCMA is offered")


def _media(value: str) -> tuple[int, list[int]]:
    found = re.fullmatch(r"audio (\d{1,5})(?:/\d+)? RTP/AVP((?: \d{1,3})+)", value)
    if found is None:
        return 0, []
    return int(found[1]), [int(kind) for kind in found[2].split()][:32]


def write_answer(offer: Sound, host: str, port: int, session: int, version: int) -> str:
    """Return our answer: the chosen codec, and keys as events where they were offered."""
    ours = replace(offer, host=host, port=port)
    kinds = [ours.kind] if ours.events is None else [ours.kind, ours.events]
    lines = [
        "v=0",
        f"o=- {session} {version} IN {_family(host)} {host}",
        "s=-",
        f"c=IN {_family(host)} {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(map(str, kinds))}",
        f"a=rtpmap:{ours.kind} {_NAMES[ours.codec]}/8000",
    ]
    if ours.events is not None:
        lines += [f"a=rtpmap:{ours.events} telephone-event/8000", f"a=fmtp:{ours.events} 0-15"]
    lines += ["a=ptime:20", f"a={'recvonly' if offer.held else 'sendrecv'}"]
    return "".join(f"{line}\r\n" for line in lines)


def _family(host: str) -> str:
    return "IP6" if ":" in host else "IP4"
