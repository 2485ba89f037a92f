from __future__ import annotations

from dataclasses import replace

import pytest

from voice_server.conversation.speculation import Speculation, SpeculationState
from voice_server.dialogue.dialogue import Message, ReplyRequest, Tool

REQUEST = ReplyRequest("resp_1", (Message("user", "where is it", "en"),), "en", 0.9)


def test_a_reply_to_the_same_request_is_used_once() -> None:
    speculation = Speculation()
    speculation.begin(3, replace(REQUEST, speculative=True))
    assert speculation.use(3, replace(REQUEST, reply_id="resp_2"))
    assert speculation.state is SpeculationState.USED
    assert not speculation.use(3, REQUEST)


@pytest.mark.parametrize(
    "changed",
    [
        replace(REQUEST, history=(*REQUEST.history, Message("user", "more"))),
        replace(REQUEST, instructions="be rude"),
        replace(REQUEST, tools=(Tool("f", "", {}),)),
        replace(REQUEST, tool_choice="none"),
        replace(REQUEST, detected_language="fr"),
        replace(REQUEST, max_output_tokens=3),
    ],
)
def test_a_reply_to_another_request_is_not(changed: ReplyRequest) -> None:
    speculation = Speculation()
    speculation.begin(3, REQUEST)
    assert not speculation.use(3, changed)


def test_a_stale_or_dropped_reply_is_not_used() -> None:
    speculation = Speculation()
    assert not speculation.use(-1, REQUEST)
    speculation.begin(3, REQUEST)
    assert not speculation.use(4, REQUEST)
    speculation.drop()
    assert not speculation.use(3, REQUEST)
