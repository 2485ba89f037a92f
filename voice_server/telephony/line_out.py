"""What a call sends over its line: paced where it wants a rhythm, keys as tones if need be."""

from __future__ import annotations

from voice_server.telephony.call import (
    Bridge,
    CallCommand,
    Clear,
    Codec,
    HangUp,
    SendAudio,
    SendDtmf,
    Transfer,
)
from voice_server.telephony.dtmf import tones
from voice_server.telephony.links import Link
from voice_server.telephony.pacer import Pacer


class LineOut:
    """Between the flow's commands and the link. Used in the event loop."""

    def __init__(self, bridge: Bridge, link: Link) -> None:
        """One call's."""
        self._bridge = bridge
        self._link = link
        self._pacer = None if bridge.features.buffers else Pacer(self._paced)
        self._codec: Codec | None = None

    def use(self, codec: Codec) -> None:
        """The call is up, or its codec has changed: silence between the replies is like this."""
        if self._pacer is not None:
            if self._codec is not None:
                self._pacer.clear()  # frames of the old codec would be noise now
            if self._bridge.features.fills:
                self._pacer.fill(codec.silence * (codec.rate // 50))
        self._codec = codec

    def send(self, command: CallCommand) -> None:
        """Carry a command out, or queue it for its time."""
        if self._pacer is not None:
            if isinstance(command, SendAudio):
                self._pacer.put(command.data)
                return
            if isinstance(command, Clear | Transfer | HangUp):
                self._pacer.clear()
        if isinstance(command, SendDtmf) and not self._bridge.features.sends_dtmf:
            self._sound_keys(command.digits)
            return
        for message in self._bridge.send(command):
            self._link.send(message)

    def _paced(self, frame: bytes) -> None:
        for message in self._bridge.send(SendAudio(frame)):
            self._link.send(message)

    def _sound_keys(self, digits: str) -> None:
        """The wire has no message for keys: they are sent as tones."""
        codec = self._codec
        if codec is None:
            return
        data = codec.encode(tones(digits, codec.rate))
        length = codec.frame_bytes(20)
        for start in range(0, len(data) - length + 1, length):
            self.send(SendAudio(data[start : start + length]))

    def close(self) -> None:
        """Stop for good."""
        if self._pacer is not None:
            self._pacer.close()
