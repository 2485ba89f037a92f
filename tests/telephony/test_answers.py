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
    assert number.get("url") == (None if vendor == "plivo" else "https://a/w")
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
    say = root(answers.whisper(EVIL, "nl-BE")).find("Say")
    assert say is not None
    assert (say.text, say.get("language")) == (EVIL, "nl-BE")
