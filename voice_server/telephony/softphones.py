"""A softphone for each vendor's wire format. See :mod:`voice_server.telephony.softphone`."""

from __future__ import annotations

from collections.abc import Mapping

from voice_server.telephony.call import PCM_8K, PCM_16K, ULAW_8K, Codec
from voice_server.telephony.softphone import Softphone
from voice_server.telephony.softphones_cloud import (
    PlivoPhone,
    TelnyxPhone,
    TwilioPhone,
    VonagePhone,
)
from voice_server.telephony.softphones_pbx import (
    AudioSocketPhone,
    ChanWebsocketPhone,
    GenesysPhone,
    SipPhone,
)

PHONES: Mapping[str, tuple[type[Softphone], Codec]] = {
    "twilio": (TwilioPhone, ULAW_8K),
    "telnyx": (TelnyxPhone, ULAW_8K),
    "plivo": (PlivoPhone, ULAW_8K),
    "vonage": (VonagePhone, PCM_16K),
    "genesys": (GenesysPhone, ULAW_8K),
    "asterisk": (ChanWebsocketPhone, ULAW_8K),
    "audiosocket": (AudioSocketPhone, PCM_8K),
    "sip": (SipPhone, ULAW_8K),
}
"""Vendor to its phone and the codec it usually has."""
