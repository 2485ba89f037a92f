"""A real Asterisk beside the server, loaded with what docs/telephony/asterisk.md tells to write.

``scripts/dev/asterisk`` prepares the program in the cache.  Its caller is a Local channel: one half
runs the documented dialplan to the shop, the other plays wav files, presses keys and records what
it hears, all in Asterisk's own time and with its own codecs.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import soundfile

from voice_server.audio.pcm import Audio
from voice_server.config import cache_root

PROGRAM = cache_root() / "asterisk"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "telephony" / "asterisk.md"

START_S, COMMAND_S = 30.0, 10.0

MISSING = (
    ""
    if (PROGRAM / "prepared").is_file()
    else "needs Asterisk in the cache: ./scripts/dev/asterisk prepares it on Debian"
)

DIRECTORIES = """[directories]
astetcdir => {home}/etc
astmoddir => {program}/modules
astdatadir => {program}/share
astvarlibdir => {home}/lib
astdbdir => {home}/lib
astkeydir => {home}/lib
astagidir => {home}/lib
astspooldir => {home}/spool
astrundir => {home}
astlogdir => {home}/log
astsbindir => {home}
[options]
verbose = 4
"""

# Asterisk has an address of its own, so that it can tell calls of the server from its own.
TRUNK = """
[trunk]
type = endpoint
transport = transport-udp
context = humans
disallow = all
allow = ulaw
aors = trunk
from_user = trunk

[trunk]
type = aor
contact = sip:127.0.0.2:{port}
"""

CALLER = """
[humans]
exten => _[+0-9].,1,Answer()
 same => n,Verbose(1,HUMAN ${{EXTEN}})
 same => n,Playback({home}/human)
 same => n,Wait(1)
 same => n,Hangup()

[caller]
exten => talk,1,Answer()
 same => n,MixMonitor({home}/whole.wav,r({home}/heard.wav)t({home}/said.wav))
"""


def documented() -> dict[str, str]:
    """Return the documented files by name: the blocks whose text before them ends with one."""
    files: dict[str, str] = {}
    name = ""
    for index, piece in enumerate(re.split(r"(?ms)^```ini\n(.*?)^```$", DOCUMENT.read_text())):
        if index % 2:  # a block; one without a file's name is an example that is not run
            if name:
                files[name] = files.get(name, "") + piece + "\n"
            continue
        found = re.findall(r"`(\w+\.conf)`", piece)
        name = found[-1] if found else ""
    return files


def free_port() -> int:
    """A UDP port that nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.2", 0))
        return int(probe.getsockname()[1])


class Asterisk:
    """One that runs."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.port = port
        """Of its SIP."""
        self.process: asyncio.subprocess.Process

    async def command(self, text: str) -> str:
        """Run a command of its console."""
        process = await asyncio.create_subprocess_exec(
            str(PROGRAM / "asterisk"), "-C", str(self.home / "etc/asterisk.conf"), "-rx", text,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(process.communicate(), COMMAND_S)
        return out.decode(errors="replace")

    async def call(self, context: str, number: str = "+3225550123") -> None:
        """The caller dials; returns at once."""
        await self.command(f"channel originate Local/{number}@{context}/n extension talk@caller")

    def log(self) -> str:
        """What it wrote."""
        lines = (self.home / "out").read_text(errors="replace").splitlines()
        return "\n".join(line for line in lines if "Remote UNIX" not in line)

    async def idle(self, seconds: float = 30.0) -> None:
        """Wait until it has no call."""
        async with asyncio.timeout(seconds):
            command = "core show channels count"
            while "0 active channels" not in await self.command(command):  # noqa: ASYNC110
                await asyncio.sleep(1)

    def heard(self) -> Audio:
        """What its caller heard, at 8 kHz."""
        audio, rate = soundfile.read(self.home / "heard.wav", dtype="float32")
        assert rate == 8000
        return np.asarray(audio)


@asynccontextmanager
async def asterisk(
    script: str,
    places: Mapping[str, str],
    sounds: Mapping[str, Audio],
    *,
    port: int = 0,
    more: Mapping[str, str] | None = None,
) -> AsyncIterator[Asterisk]:
    """Run one.

    Args:
        script: what its caller does: dialplan lines after picking up.
        places: texts of the documented files, and what stands there here.
        sounds: name to sound at 8 kHz, for ``Playback``.
        port: of its SIP; 0 for any.
        more: file to text that is added to it, in front of the caller's.
    """
    home = Path(tempfile.mkdtemp(prefix="vs-ast-"))  # short: a socket's path has 108 bytes
    one = Asterisk(home, port or free_port())
    try:
        _write(one, script, places, sounds, more or {})
        with (home / "out").open("wb") as out:
            one.process = await asyncio.create_subprocess_exec(
                str(PROGRAM / "asterisk"), "-f", "-C", str(home / "etc/asterisk.conf"), "-n",
                stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out, cwd=home,
            )  # fmt: skip
        async with asyncio.timeout(START_S):
            while "fully booted" not in await one.command("core waitfullybooted"):
                assert one.process.returncode is None, one.log()[-3000:]
                await asyncio.sleep(0.1)
        yield one
    finally:
        if hasattr(one, "process") and one.process.returncode is None:
            one.process.terminate()
            try:
                await asyncio.wait_for(one.process.wait(), 10)
            except TimeoutError:
                one.process.kill()
        shutil.rmtree(home)


def _write(
    one: Asterisk,
    script: str,
    places: Mapping[str, str],
    sounds: Mapping[str, Audio],
    more: Mapping[str, str],
) -> None:
    home, etc = one.home, one.home / "etc"
    for folder in ("etc", "lib", "spool", "log"):
        (home / folder).mkdir()
    files = documented()
    for old, new in {
        "0.0.0.0:5060": f"127.0.0.2:{one.port}",
        "203.0.113.7": "127.0.0.1",
        **places,
    }.items():
        assert any(old in text for text in files.values()), f"{old} is not in the document"
        files = {name: text.replace(old, new) for name, text in files.items()}
    for name, text in more.items():
        files[name] = files.get(name, "") + text
    lines = "".join(f" same => n,{line.strip()}\n" for line in script.strip().splitlines())
    files["extensions.conf"] += CALLER.format(home=home) + lines.replace("{home}", str(home))
    files["extensions.conf"] += " same => n,Hangup()\n"
    files["pjsip.conf"] += TRUNK.format(port=one.port)
    files["modules.conf"] = "[modules]\nautoload = yes\n"
    files["logger.conf"] = "[general]\n[logfiles]\nconsole => notice,warning,error,verbose\n"
    files["rtp.conf"] = "[general]\nrtpstart = 20000\nrtpend = 29999\n"
    files["asterisk.conf"] = DIRECTORIES.format(home=home, program=PROGRAM)
    for name in ("features", "http", "acl", "ccss", "cdr", "cel", "udptl", "codecs", "indications"):
        files[f"{name}.conf"] = ""
    for name, text in files.items():
        (etc / name).write_text(text)
    for name, audio in sounds.items():
        soundfile.write(home / f"{name}.wav", audio, 8000, subtype="PCM_16")
