"""What webhooks are answered: well-formed, complete, and safe against what callers can choose."""

from __future__ import annotations

from xml.etree import ElementTree as XmlTree

import orjson
import pytest

from voice_server.telephony import answers
from voice_server.telephony.answers import Connection, Handover

TO = Connection("wss://shop.example/telephony/x/tk_1", "https://shop.example/telephony/x/after")
EVIL = '"><Dial>+900</Dial>&'


def root(reply: answers.Reply) -> XmlTree.Element:
    assert reply.content_type == "application/xml"
    element = XmlTree.fromstring(reply.body)  # noqa: S314 - our own text
    assert element.tag == "Response"
    return element


def test_twilio_is_connected_both_ways_and_asks_afterwards() -> None:
    response = root(answers.connect("twilio", TO, {"from": "+32470", "shop": EVIL}))
    stream = response.find("Connect/Stream")
    assert stream is not None
    assert stream.get("url") == TO.stream_url
    given = {one.get("name"): one.get("value") for one in stream.findall("Parameter")}
    assert given == {"from": "+32470", "shop": EVIL}
    assert response.findtext("Redirect") == TO.after_url
    assert response.find(".//Dial") is None


def test_telnyx_is_connected_in_mode_rtp() -> None:
    stream = root(answers.connect("telnyx", TO, {})).find("Connect/Stream")
    assert stream is not None
    assert stream.attrib == {
        "url": TO.stream_url,
        "codec": "PCMU",
        "bidirectionalMode": "rtp",
        "bidirectionalCodec": "PCMU",
    }


def test_plivo_keeps_the_call_while_we_stream() -> None:
    response = root(answers.connect("plivo", TO, {}))
    stream = response.find("Stream")
    assert stream is not None
    assert stream.text == TO.stream_url
    assert (stream.get("bidirectional"), stream.get("keepCallAlive")) == ("true", "true")
    assert response.findtext("Redirect") == TO.after_url


def test_vonage_gets_an_ncco() -> None:
    reply = answers.connect("vonage", TO, {"from": EVIL})
    connect, notify = orjson.loads(reply.body)
    assert connect["endpoint"][0]["uri"] == TO.stream_url
    assert connect["endpoint"][0]["content-type"] == "audio/l16;rate=16000"
    assert connect["endpoint"][0]["headers"] == {"from": EVIL}
    assert notify["eventUrl"] == [TO.after_url]


@pytest.mark.parametrize("vendor", ["twilio", "telnyx", "plivo"])
def test_a_transfer_dials(vendor: str) -> None:
    to = Handover(EVIL, caller_id="+322", whisper_url="https://a/w", after_url="https://a/after")
    dial = root(answers.hand_over(vendor, to)).find("Dial")
    assert dial is not None
    assert (dial.get("action"), dial.get("callerId")) == ("https://a/after", "+322")
    number = dial.find("Number")
    assert number is not None
    assert number.text == EVIL
    whisper = dial.get("confirmSound") if vendor == "plivo" else number.get("url")
    assert whisper == "https://a/w"
    bare = root(answers.hand_over(vendor, Handover("sip:desk@a.example"))).find("Dial")
    assert bare is not None
    assert bare[0].tag == ("User" if vendor == "plivo" else "Sip")
    assert bare.get("action") is None


def test_a_transfer_by_vonage() -> None:
    [action] = orjson.loads(answers.hand_over("vonage", Handover("+3225", after_url="u")).body)
    assert action["endpoint"] == [{"type": "phone", "number": "3225"}]
    assert action["eventUrl"] == ["u"]
    [action] = orjson.loads(answers.hand_over("vonage", Handover("+3225")).body)
    assert "eventUrl" not in action


def test_ends_refusals_and_whispers() -> None:
    assert root(answers.hang_up("twilio")).find("Hangup") is not None
    assert answers.hang_up("vonage").body == answers.refuse("vonage").body == "[]"
    assert root(answers.refuse("twilio")).find("Reject") is not None
    assert root(answers.refuse("plivo")).find("Hangup") is not None
    assert orjson.loads(answers.whisper("vonage", EVIL, "nl-BE").body) == [
        {"action": "talk", "text": EVIL, "language": "nl-BE"}
    ]
    assert root(answers.whisper("plivo", EVIL, "nl-BE")).find("Speak") is not None
    say = root(answers.whisper("twilio", EVIL, "nl-BE")).find("Say")
    assert say is not None
    assert (say.text, say.get("language")) == (EVIL, "nl-BE")


FIELDS = {"summary": "Veut être remboursé\r\nX-Evil: 1", "language": "nl", "reason": "key"}


def test_a_screen_learns_who_comes_where_the_human_is_a_sip_address() -> None:
    to = Handover("sip:desk@a.example", fields=FIELDS, whisper_url="https://a/w")
    [action] = orjson.loads(answers.hand_over("vonage", to).body)
    [endpoint] = action["endpoint"]
    assert endpoint["headers"]["Call-Summary"] == "Veut etre rembourseX-Evil: 1"
    assert endpoint["onAnswer"] == {"url": "https://a/w"}
    for vendor in ("twilio", "telnyx"):
        sip = root(answers.hand_over(vendor, to)).find("Dial/Sip")
        assert sip is not None
        assert sip.text is not None
        assert sip.text.startswith("sip:desk@a.example?X-Call-Summary=Veut%20etre%20rembourse")
        assert "\n" not in sip.text
        assert len(sip.text) <= answers.SIP_URI_MOST
    user = root(answers.hand_over("plivo", to)).find("Dial/User")
    assert user is not None
    assert user.get("sipHeaders") == "summary=VeutetrerembourseXEvil1,language=nl,reason=key"


def test_numbers_get_no_headers_and_blind_transfers_no_whisper() -> None:
    to = Handover("+3225550199", fields=FIELDS)
    for vendor in ("twilio", "telnyx", "plivo", "vonage"):
        body = answers.hand_over(vendor, to).body
        assert "ummary" not in body
        assert "hisper" not in body
        assert "confirmSound" not in body
        assert "onAnswer" not in body
