"""Whom a line may call, and when; what vendors are asked; what their webhooks tell."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from voice_server.telephony import dial_rules
from voice_server.telephony.answering_machine import Verdict
from voice_server.telephony.dial_rules import (
    PER_NUMBER,
    PER_NUMBER_S,
    NotDialled,
    Pace,
    allowed_from,
    check_number,
    e164,
)
from voice_server.telephony.vendor_calls import (
    PlaceCall,
    VendorAccounts,
    VendorRefused,
    read_reply,
    vendor_calls,
)
from voice_server.telephony.vendor_events import CallNews, read_news

MOBILE = "+32470123456"
KEY = generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
ACCOUNTS = VendorAccounts(
    "AC1", "tw-secret", "tx-secret", "conn", "MA1", "pl-secret", "app", PEM,
    {"twilio": "https://api.dublin.ie1.twilio.com/"},
)  # fmt: skip
CALL = PlaceCall(
    MOBILE, "+3225550123", "https://h/placed", "https://h/events", "wss://h/s", 30, detect=True
)


def refused(*arguments: Any) -> str:
    with pytest.raises(NotDialled) as caught:
        check_number(*arguments)
    return caught.value.code


def test_numbers_are_international_and_exist() -> None:
    assert e164(" +32 470 12 34 56 ") == MOBILE
    assert e164("0470 12 34 56", "BE") == MOBILE
    for wrong in ("0470123456", "", "112", "+32", "+999123456789", "x' OR 1=1", "+32 99 99 99 99"):
        with pytest.raises(NotDialled) as caught:
            e164(wrong)
        assert caught.value.code == "no_number"


def test_only_what_the_line_allows_is_called_and_nothing_that_costs_extra() -> None:
    check_number(MOBILE, ("NL", "BE"))
    check_number(MOBILE, ("+32 47",))
    assert refused(MOBILE, ("NL",)) == "not_allowed"
    assert refused(MOBILE, ()) == "not_allowed"
    assert refused("+3290212345", ("BE",)) == "premium"
    assert refused("+499001123456", ("DE",)) == "premium"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "now", "promised", "again"),
    [
        (MOBILE, "2026-11-25T10:00", False, "2026-11-25T10:00"),
        (MOBILE, "2026-11-25T19:30", False, "2026-11-26T08:00"),  # 20:30 in Brussels
        (MOBILE, "2026-11-25T19:30", True, "2026-11-25T19:30"),
        (MOBILE, "2026-11-25T20:30", True, "2026-11-26T07:00"),
        (MOBILE, "2026-11-28T19:30", False, "2026-11-30T08:00"),  # Saturday to Monday
        (MOBILE, "2026-12-24T20:00", False, "2026-12-26T08:00"),  # Christmas
        ("+33612345678", "2026-11-25T12:30", False, "2026-11-25T13:00"),  # noon in France
        ("+33612345678", "2026-11-27T19:30", False, "2026-11-30T09:00"),  # Friday evening
        ("+12133734253", "2026-11-25T16:00", False, "2026-11-25T17:00"),  # 8 in Los Angeles
        ("+88213300655", "2026-11-25T10:00", False, "2026-11-25T10:00"),  # in no country
    ],
)
def test_quiet_hours_are_those_of_who_is_called(
    number: str, now: str, promised: bool, again: str
) -> None:
    assert allowed_from(number, at(now), promised=promised) == at(again)


def test_summer_time_changes_nothing_on_the_clock() -> None:
    assert allowed_from(MOBILE, at("2026-10-24T20:00"), promised=False) == at("2026-10-26T08:00")
    assert allowed_from(MOBILE, at("2026-10-23T20:00"), promised=False) == at("2026-10-24T07:00")


def test_no_free_time_within_the_horizon(monkeypatch: pytest.MonkeyPatch) -> None:
    never = dial_rules.Hours(frozenset(), ())
    monkeypatch.setattr(dial_rules, "USUAL", never)
    assert allowed_from(MOBILE, at("2026-11-25T10:00"), promised=False) is None


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC)))
def test_the_next_free_time_is_free(now: datetime) -> None:
    free = allowed_from(MOBILE, now, promised=False)
    assert free is not None
    assert free >= now
    assert allowed_from(MOBILE, free, promised=False) == free


def test_a_line_has_its_pace_and_a_number_its_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    pace = Pace()
    for second in range(2):
        pace.take("a", f"+3247012345{second}", 2, second)
    with pytest.raises(NotDialled, match="wait 58 s") as caught:
        pace.take("a", "+32470123459", 2, 2)
    assert caught.value.code == "too_fast"
    pace.take("b", "+32470123459", 2, 2)
    pace.take("a", "+32470123459", 2, 61)
    for minute in range(1, PER_NUMBER + 1):
        pace.take("c", MOBILE, 2, 100 * minute)
    with pytest.raises(NotDialled, match="in a day") as caught:
        pace.take("c", MOBILE, 2, 1000)
    assert caught.value.code == "too_often"
    pace.take("c", MOBILE, 2, 100 + PER_NUMBER_S)
    monkeypatch.setattr(dial_rules, "NUMBERS_KEPT", 1)
    pace.take("d", "+32470000001", 9, 0)
    assert list(pace._numbers)[-1] == "+32470000001"


# -------------------------------------------------------------------- vendors


def api(vendor: str) -> Any:
    return vendor_calls(vendor, ACCOUNTS, now=lambda: 1000.0, new_id=lambda prefix: f"{prefix}_1")


def test_twilio_is_asked() -> None:
    request = api("twilio").place(CALL)
    assert request.url == "https://api.dublin.ie1.twilio.com/2010-04-01/Accounts/AC1/Calls.json"
    form = parse_qsl(request.body.decode())
    assert ("To", MOBILE) in form
    assert ("MachineDetection", "DetectMessageEnd") in form
    assert [value for name, value in form if name == "StatusCallbackEvent"] == [
        "ringing", "answered", "completed"
    ]  # fmt: skip
    assert base64.b64decode(request.headers["Authorization"][6:]) == b"AC1:tw-secret"
    assert b"Status=completed" in api("twilio").hang_up("CA/1").body
    assert api("twilio").hang_up("CA/1").url.endswith("/Calls/CA%2F1.json")
    assert api("twilio").transfer("CA1", "+32") is None


def test_telnyx_is_asked() -> None:
    body = orjson.loads(api("telnyx").place(CALL).body)
    assert (body["connection_id"], body["stream_url"]) == ("conn", "wss://h/s")
    assert body["answering_machine_detection"] == "greeting_end"
    assert api("telnyx").hang_up("v3:a").url.endswith("/v2/calls/v3%3Aa/actions/hangup")
    assert orjson.loads(api("telnyx").transfer("x", "+321").body)["to"] == "+321"


def test_plivo_is_asked() -> None:
    request = api("plivo").place(CALL)
    assert request.url == "https://api.plivo.com/v1/Account/MA1/Call/"
    body = orjson.loads(request.body)
    assert (body["to"], body["from"]) == ("32470123456", "3225550123")
    assert api("plivo").hang_up("u").method == "DELETE"
    assert api("plivo").transfer("u", "+32") is None


def test_vonage_is_asked_with_a_signed_token() -> None:
    request = api("vonage").place(CALL)
    assert orjson.loads(request.body)["advanced_machine_detection"]["mode"] == "detect_beep"
    head, claims, signature = request.headers["Authorization"].removeprefix("Bearer ").split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    KEY.public_key().verify(raw, f"{head}.{claims}".encode(), PKCS1v15(), hashes.SHA256())
    said = orjson.loads(base64.urlsafe_b64decode(claims + "=="))
    assert (said["application_id"], said["exp"] - said["iat"]) == ("app", 300)
    assert orjson.loads(api("vonage").hang_up("u").body) == {"action": "hangup"}
    assert api("vonage").transfer("u", "+32") is None
    broken = VendorAccounts(vonage_application="a", vonage_key="no key")
    with pytest.raises(VendorRefused, match="PEM"):
        vendor_calls("vonage", broken, now=lambda: 0.0).place(CALL)


def test_without_detection_no_vendor_is_paid_for_it() -> None:
    quiet = PlaceCall(MOBILE, "+3225550123", "a", "e", "s", 30, detect=False)
    for vendor in ("twilio", "telnyx", "plivo", "vonage"):
        assert b"achine" not in api(vendor).place(quiet).body


GOOD = {
    "twilio": {"sid": "CA1", "status": "queued"},
    "telnyx": {"data": {"call_control_id": "v3:1", "record_type": "call"}},
    "plivo": {"message": "call fired", "request_uuid": "r1", "api_id": "a"},
    "vonage": {"uuid": "u1", "status": "started"},
}
BAD = {
    "twilio": {"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400},
    "telnyx": {"errors": [{"code": "10015", "title": "Bad", "detail": "Invalid 'To'"}]},
    "plivo": {"api_id": "a", "error": "Invalid 'To'"},
    "vonage": {"type": "t", "title": "Bad Request", "detail": "Invalid 'To'"},
}


@pytest.mark.parametrize("vendor", GOOD)
def test_answers_are_understood(vendor: str) -> None:
    one = api(vendor)
    assert read_reply(one, vendor, 201, {}, orjson.dumps(GOOD[vendor])) in (
        "CA1", "v3:1", "r1", "u1",
    )  # fmt: skip
    with pytest.raises(VendorRefused, match="Invalid 'To'") as caught:
        read_reply(one, vendor, 400, {}, orjson.dumps(BAD[vendor]))
    assert not caught.value.later
    assert "secret" not in str(caught.value)
    with pytest.raises(VendorRefused) as caught:
        read_reply(one, vendor, 429, {"Retry-After": "7"}, b"<html>")
    assert (caught.value.later, caught.value.retry_after_s) == (True, 7.0)
    with pytest.raises(VendorRefused, match="no id"):
        read_reply(one, vendor, 200, {}, b"[]")
    with pytest.raises(VendorRefused):
        read_reply(one, vendor, 500, {"Retry-After": "soon"}, b'{"errors": [], "data": 3}')


def test_accounts_are_complete_or_useless_and_never_shown() -> None:
    assert ACCOUNTS.usable() == {"twilio", "telnyx", "plivo", "vonage"}
    assert VendorAccounts(twilio_sid="AC1").usable() == frozenset()
    assert "secret" not in repr(ACCOUNTS)
    assert "secret" not in repr(api("telnyx").place(CALL))
    with pytest.raises(KeyError):
        vendor_calls("genesys", ACCOUNTS, now=lambda: 0.0)


@pytest.mark.parametrize(
    ("vendor", "fields", "news"),
    [
        ("twilio", {"CallStatus": "no-answer"}, CallNews("no_answer")),
        ("twilio", {"AnsweredBy": "human", "CallStatus": "in-progress"},
         CallNews(verdict=Verdict.HUMAN)),
        ("twilio", {"AnsweredBy": "machine_end_beep"},
         CallNews(verdict=Verdict.MACHINE, records=True)),
        ("twilio", {"AnsweredBy": "fax"}, CallNews(verdict=Verdict.MACHINE)),
        ("twilio", {"AnsweredBy": "unknown"}, CallNews(verdict=Verdict.UNSURE)),
        ("twilio", {"CallStatus": 3}, CallNews()),
        ("plivo", {"CallStatus": "busy", "CallUUID": "u"}, CallNews("busy", call_id="u")),
        ("plivo", {"Machine": "true"}, CallNews(verdict=Verdict.MACHINE)),
        ("plivo", {"Machine": "False"}, CallNews(verdict=Verdict.HUMAN)),
        ("vonage", {"status": "timeout"}, CallNews("no_answer")),
        ("vonage", {"status": "human"}, CallNews(verdict=Verdict.HUMAN)),
        ("vonage", {"status": "machine", "sub_state": "beep_start"},
         CallNews(verdict=Verdict.MACHINE, records=True)),
        ("telnyx", {"data": {"event_type": "call.answered"}}, CallNews("answered")),
        ("telnyx", {"data": {"event_type": "call.hangup",
                             "payload": {"hangup_cause": "user_busy"}}}, CallNews("busy")),
        ("telnyx", {"data": {"event_type": "call.machine.detection.ended",
                             "payload": {"result": "human"}}}, CallNews(verdict=Verdict.HUMAN)),
        ("telnyx", {"data": {"event_type": "call.machine.greeting.ended"}},
         CallNews(verdict=Verdict.MACHINE, records=True)),
        ("telnyx", {"data": []}, CallNews()),
        ("telnyx", {"data": {"event_type": "call.hangup", "payload": "x"}}, CallNews("failed")),
    ],
)  # fmt: skip
def test_webhooks_tell(vendor: str, fields: dict[str, Any], news: CallNews) -> None:
    assert read_news(vendor, fields) == news
