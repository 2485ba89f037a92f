"""The vendors we know: a new one is a file and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from voice_server.telephony.audiosocket_bridge import AudioSocketBridge
from voice_server.telephony.call import Bridge
from voice_server.telephony.chan_websocket_bridge import ChanWebsocketBridge
from voice_server.telephony.genesys_bridge import GenesysBridge
from voice_server.telephony.plivo_bridge import PlivoBridge
from voice_server.telephony.sip_bridge import SipBridge
from voice_server.telephony.telnyx_bridge import TelnyxBridge
from voice_server.telephony.twilio_bridge import TwilioBridge
from voice_server.telephony.vonage_bridge import VonageBridge

WEBSOCKET_BRIDGES: Mapping[str, Callable[[], Bridge]] = {
    bridge.vendor: bridge
    for bridge in (
        TwilioBridge,
        TelnyxBridge,
        PlivoBridge,
        VonageBridge,
        GenesysBridge,
        ChanWebsocketBridge,
    )
}
"""By the name in ``/telephony/{vendor}``."""

BRIDGES: Mapping[str, Callable[[], Bridge]] = {
    **WEBSOCKET_BRIDGES,
    AudioSocketBridge.vendor: AudioSocketBridge,
    SipBridge.vendor: SipBridge,
}
