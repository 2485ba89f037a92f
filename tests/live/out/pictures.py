"""Real H.264 for outlets, made by ffmpeg's test picture: packets as our page sends them."""

from __future__ import annotations

import subprocess
from functools import cache

from voice_server.live.out.matroska import SOUND, VIDEO, Packet, Picture
from voice_server.live.out.programme import BLOCK

SECONDS = 4
FPS = 25


@cache
def film() -> tuple[Picture, tuple[Packet, ...]]:
    """Four seconds, with a key frame every second and a silent sound."""
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc2=s=320x180:r={FPS}"]
    command += ["-t", str(SECONDS), "-c:v", "libx264", "-bf", "0", "-g", str(FPS), "-pix_fmt"]
    command += ["yuv420p", "-x264-params", "aud=1:repeat-headers=1:slices=1", "-f", "h264", "-"]
    stream = subprocess.run(command, capture_output=True, check=True).stdout
    units = [unit.rstrip(b"\0") for unit in stream.split(b"\0\0\1")[1:]]
    sps = next(unit for unit in units if unit[0] & 31 == 7)
    pps = next(unit for unit in units if unit[0] & 31 == 8)
    avcc = b"\1" + sps[1:4] + b"\xff\xe1" + len(sps).to_bytes(2, "big") + sps
    avcc += b"\1" + len(pps).to_bytes(2, "big") + pps
    packets: list[Packet] = []
    for unit in units:
        if unit[0] & 31 in (1, 5):
            at_ms = len(packets) // 2 * 1000 // FPS
            data = len(unit).to_bytes(4, "big") + unit
            packets.append(Packet(VIDEO, at_ms, data, unit[0] & 31 == 5))
            packets.append(Packet(SOUND, at_ms, bytes(2 * BLOCK)))
    return Picture(320, 180, avcc), tuple(packets)


def part(second: int) -> list[Packet]:
    """Return a second of an endless film."""
    shift = second // SECONDS * SECONDS * 1000
    first = second % SECONDS * FPS * 2
    return [
        Packet(packet.track, packet.at_ms + shift, packet.data, packet.key)
        for packet in film()[1][first : first + 2 * FPS]
    ]
