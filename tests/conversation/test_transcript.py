from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.conversation.transcript import History, Item, UnknownItem, heard_text
from voice_server.dialogue.dialogue import Message, ToolCall, ToolResult

MARKS = (("Hello there.", 1000.0), ("It costs ten euros today.", 3000.0))


@pytest.mark.parametrize(
    ("heard_ms", "text"),
    [
        (0, ""),
        (500, "Hello"),
        (1000, "Hello there."),
        (2000, "Hello there. It costs"),
        (3000, "Hello there. It costs ten euros today."),
        (9000, "Hello there. It costs ten euros today."),
        (1100, "Hello there."),
    ],
)
def test_history_keeps_what_was_heard(heard_ms: float, text: str) -> None:
    assert heard_text(MARKS, heard_ms) == text


def test_nothing_is_kept_of_a_clause_that_never_began() -> None:
    assert heard_text((("A b", 100.0), ("C d", 100.0), ("E f", 300.0)), 100.0) == "A b C d"


@given(st.floats(0, 4000), st.floats(0, 4000))
def test_hearing_more_never_keeps_less(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert heard_text(MARKS, high).startswith(heard_text(MARKS, low))


def test_truncating_twice_keeps_the_shorter() -> None:
    history = History([Item("a", role="assistant", text="x", marks=MARKS)])
    assert history.truncate("a", 2000).text == "Hello there. It costs"
    assert history.truncate("a", 500).text == "Hello"
    assert history.truncate("a", 9000).text == "Hello"
    assert history.get("a").status == "incomplete"


def test_truncating_an_item_without_audio_changes_nothing() -> None:
    history = History([Item("a", role="assistant", text="written")])
    assert history.truncate("a", 10).text == "written"


def test_items_are_inserted_where_the_client_wants() -> None:
    history = History()
    assert history.last_id() is None
    assert history.insert(Item("b")) is None
    assert history.insert(Item("c")) == "b"
    assert history.insert(Item("a"), at_root=True) is None
    assert history.insert(Item("bb"), "b") == "b"
    assert [item.id for item in history.items] == ["a", "b", "bb", "c"]
    assert history.last_id() == "c"
    history.delete("bb")
    assert [item.id for item in history.items] == ["a", "b", "c"]
    with pytest.raises(ValueError, match="exists already"):
        history.insert(Item("a"))
    for act in (history.get, history.delete, history.index):
        with pytest.raises(UnknownItem):
            act("nobody")
    with pytest.raises(UnknownItem):
        history.insert(Item("d"), "nobody")


def test_the_dialogue_sees_only_what_is_known() -> None:
    history = History(
        [
            Item("1", role="system", text="be kind"),
            Item("2", text=None),
            Item("3", text="hi", language="en"),
            Item("4", kind="function_call", text=None, call_id="c", name="f"),
            Item("5", kind="function_call", text='{"a":1}', call_id="d", name="g"),
            Item("6", kind="function_call_output", text=None, call_id="c"),
            Item("7", kind="function_call_output", text="ok", call_id="d"),
            Item("8", role="assistant", text=""),
        ]
    )
    assert history.entries() == (
        Message("system", "be kind"),
        Message("user", "hi", "en"),
        ToolCall("c", "f", "{}"),
        ToolCall("d", "g", '{"a":1}'),
        ToolResult("c", ""),
        ToolResult("d", "ok"),
    )
