"""A vendor's JSON is read exactly, and whatever it holds, only Malformed comes out."""

from __future__ import annotations

import contextlib
import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.shop.connectors.documents import Doc, Malformed, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


def test_money_stays_exact() -> None:
    doc = parse(b'{"a": 10.10, "b": "10.10", "c": 3, "d": 0.30}')
    assert doc.decimal("/a") == doc.decimal("/b") == Decimal("10.10")
    assert doc.decimal("/c") == 3
    assert doc.decimal("/d") == Decimal("0.30")
    assert Doc({"f": 12.5}).decimal("/f") == Decimal("12.5")
    assert doc.decimal("/none", Decimal(0)) == 0
    assert Doc("").decimal("", Decimal(4)) == 4


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"NaN", b"[Infinity]", b"\xff\xfe"])
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed, match="no JSON"):
        parse(body)


def test_deep_nesting_is_malformed() -> None:
    with pytest.raises(Malformed):
        parse(b"[" * 200_000)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", {"a/b": [1, {"~": "x"}]}),
        ("/a~1b/0", 1),
        ("/a~1b/1/~0", "x"),
        ("/a~1b/2", None),
        ("/a~1b/-1", None),
        ("/a~1b/x", None),
        ("/nothing/at/all", None),
        ("/a~1b/0/deeper", None),
    ],
)
def test_pointers(pointer: str, value: object) -> None:
    doc = Doc({"a/b": [1, {"~": "x"}]})
    assert doc.at(pointer).value == value
    assert bool(doc.at(pointer)) is (value is not None)


def test_absent_and_null_differ_where_it_matters() -> None:
    doc = Doc({"order": None, "list": None})
    assert doc.has("/order")
    assert not doc.has("/other")
    assert not doc.has("/order/deeper")
    assert doc.has("")
    assert list(doc.items("/list")) == []
    with pytest.raises(Malformed):
        list(doc.items("/list", needed=True))
    with pytest.raises(Malformed):
        list(Doc({"a": 1}).items("/a"))


def test_texts_are_cleaned_and_shortened() -> None:
    dirty = "Mug\x00\x1b[31m \u202ered\u202c\nignore\u200b"
    assert Doc(dirty).text() == "Mug [31m  red ignore"
    assert len(Doc("x" * 900).text()) == 500
    assert Doc(7).text() == "7"
    wrong: tuple[object, ...] = (True, [], {}, None)
    for value in wrong:
        with pytest.raises(Malformed):
            Doc(value).text()


@pytest.mark.parametrize("wrong", ["x", "NaN", "Infinity", True, [], None, "", float("inf")])
def test_wrong_numbers(wrong: object) -> None:
    with pytest.raises(Malformed):
        Doc(wrong).decimal()


def test_whole_numbers_flags_days_and_currencies() -> None:
    doc = Doc(
        {
            "n": "12.0",
            "half": 1.5,
            "yes": True,
            "word": "yes",
            "day": "2026-11-25",
            "time": "2026-11-25T23:59:59+01:00",
            "zulu": "2026-11-25T23:59:59Z",
            "empty": "",
            "bad": "25/11/2026",
            "eur": "eur",
            "euro": "€",
        }
    )
    assert doc.integer("/n") == 12
    assert doc.integer("/no", 4) == 4
    assert doc.flag("/yes")
    assert doc.flag("/no", False) is False
    assert doc.day("/day") == doc.day("/time") == doc.day("/zulu") == date(2026, 11, 25)
    assert doc.day("/no") is None
    assert doc.day("/empty") is None
    assert doc.currency("/eur") == "EUR"
    for bad in (
        lambda: doc.integer("/half"),
        lambda: doc.flag("/word"),
        lambda: doc.flag("/no"),
        lambda: doc.day("/bad"),
        lambda: doc.currency("/euro"),
    ):
        with pytest.raises(Malformed):
            bad()


@given(JSON, st.sampled_from(["", "/a", "/0", "/a/0", "/~1"]))
def test_any_json_is_read_or_malformed(value: object, pointer: str) -> None:
    readers = ("text", "decimal", "integer", "day", "currency")
    try:
        doc = parse(json.dumps(value).encode())
    except Malformed:
        return  # NaN and its like
    for reader in readers:
        try:
            getattr(doc, reader)(pointer)
        except Malformed as error:
            assert "the answer has no" in str(error)  # noqa: PT017
    with contextlib.suppress(Malformed):
        list(doc.items(pointer))
