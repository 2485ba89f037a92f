"""The stream ffmpeg reads, and its limits."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.live.out.pictures import FPS, film
from voice_server.live.out.matroska import SOUND, VIDEO, Packet, _length, cluster, header
from voice_server.live.out.programme import RATE


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_ffmpeg_reads_every_packet_at_its_time(tmp_path: Path) -> None:
    picture, packets = film()
    path = tmp_path / "film.mkv"
    clusters = [cluster(packets[at : at + 14]) for at in range(0, len(packets), 14)]
    path.write_bytes(header(picture, fps=FPS, rate=RATE) + b"".join(clusters))
    out = subprocess.run(
        ["ffprobe", "-v", "error", "-count_packets", "-show_entries",
         "packet=codec_type,pts_time,flags:stream=codec_name,width,height,sample_rate,channels",
         "-of", "csv=p=0", str(path)],
        capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    rows = [line.split(",") for line in out.split()]
    video = [row for row in rows if row[0] == "video"]
    assert [round(1000 * float(row[1])) for row in video] == [
        packet.at_ms for packet in packets if packet.track == VIDEO
    ]
    assert ["K" in row[2] for row in video] == [
        packet.key for packet in packets if packet.track == VIDEO
    ]
    assert sum(row[0] == "audio" for row in rows) == len(packets) / 2
    assert ["h264", "320", "180"] in rows
    assert ["pcm_s16le", str(RATE), "1"] in rows


@given(st.integers(0, 1 << 40))
def test_a_length_can_be_read_back_and_is_never_the_unknown_one(size: int) -> None:
    data = _length(size)
    width = len(data)
    assert data[0] >> (8 - width) == 1
    value = int.from_bytes(data, "big") & ((1 << (7 * width)) - 1)
    assert value == size
    assert value != (1 << (7 * width)) - 1


@pytest.mark.parametrize("times", [(-1,), (0, 40_000)])
def test_what_a_cluster_cannot_say_is_refused(times: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="half a minute"):
        cluster([Packet(SOUND, at, b"\0\0") for at in times])
