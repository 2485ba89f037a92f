"""A person speaks in the assistant's place: it hears, and is silent."""

from __future__ import annotations

from tests.conversation.stage import Stage
from tests.fakes.conversation import FakeConversation
from tests.fakes.engines import FakeStt
from tests.virtual_time import run
from voice_server.conversation import notices as n
from voice_server.conversation import orders as o
from voice_server.conversation.mutable import MutableConversation
from voice_server.conversation.transcript import History


class Recorder:
    """A conversation that only notes its orders."""

    def __init__(self) -> None:
        self.history = History()
        self.orders: list[o.Order] = []
        self.closed = ""
        self.ran = False

    async def run(self) -> None:
        self.ran = True

    def order(self, order: o.Order) -> None:
        self.orders.append(order)

    def close(self, reason: str = "closed") -> None:
        self.closed = reason


def test_everything_passes_while_it_is_not_muted() -> None:
    inner, emitted = Recorder(), list[n.Notice]()
    both = MutableConversation(inner, emitted.append)
    orders: list[o.Order] = [
        o.Configure(o.TurnOptions(idle_timeout_ms=5000), o.ReplyOptions(voice="a")),
        o.Respond("r1"),
        o.Say("r2", "hello"),
        o.ClearAudio(),
    ]
    for order in orders:
        both.order(order)
    assert inner.orders == orders
    run(both.run())
    both.close("bye")
    assert (inner.ran, inner.closed, emitted) == (True, "bye", [])
    assert both.history is inner.history
    both.unmute()
    assert inner.orders == orders, "there is nothing to undo"


def test_muting_stops_the_reply_and_makes_no_other() -> None:
    inner, emitted = Recorder(), list[n.Notice]()
    both = MutableConversation(inner, emitted.append)
    configured = o.Configure(o.TurnOptions(idle_timeout_ms=5000), o.ReplyOptions(voice="a"))
    both.order(configured)
    inner.orders.clear()
    both.mute()
    both.mute()
    quiet = o.Configure(o.TurnOptions(), o.ReplyOptions(voice="a"), reply_enabled=False)
    assert inner.orders == [o.Cancel(), quiet]
    both.order(o.Respond("r1"))
    assert emitted == [n.ReplyDone("r1", "cancelled", "client_cancelled")]
    later = o.Configure(o.TurnOptions(threshold=0.7), o.ReplyOptions(voice="b"))
    both.order(later)
    both.order(o.Say("r2", "hello"))
    assert inner.orders[2:] == [
        o.Configure(o.TurnOptions(threshold=0.7), o.ReplyOptions(voice="b"), reply_enabled=False),
        o.Say("r2", "hello"),
    ]
    both.unmute()
    assert inner.orders[-1:] == [later]
    both.order(o.Respond("r3"))
    assert inner.orders[-1:] == [o.Respond("r3")]


def test_a_muted_conversation_hears_and_says_only_what_it_is_told() -> None:
    async def scene() -> Stage:
        stage = Stage(stt=FakeStt("what does it cost?"))
        async with stage.open():
            both = MutableConversation(stage.conversation, stage._note)
            both.order(o.Configure(o.TurnOptions(idle_timeout_ms=3000), o.ReplyOptions()))
            both.mute()
            await stage.say(1000, 9000)
            assert not stage.all(n.ReplyStarted), "the assistant is silent"
            both.order(o.Say("resp_human", "It costs twenty euros.", "en"))
            await stage.quiet(4000)
            both.unmute()
            stage.stt.lines = ["and the other one?"]
            await stage.say(1000, 3000)
        return stage

    stage = run(scene())
    finals = [one.transcript.text for one in stage.all(n.TranscriptFinal)]
    assert finals[0] == "what does it cost?"
    replies = [one.reply_id for one in stage.all(n.ReplyStarted)]
    assert replies[0] == "resp_human"
    assert len(replies) == 2
    done = stage.all(n.ReplyDone)
    assert (done[0].text, done[0].status) == ("It costs twenty euros.", "completed")


def test_the_fake_of_the_transports_tests_can_be_muted_too() -> None:
    async def scene() -> list[n.Notice]:
        notices: list[n.Notice] = []
        inner = FakeConversation(
            session_id="s", input_rate=24_000, emit=notices.append, history=History(), flushes=False
        )
        both = MutableConversation(inner, notices.append)
        both.mute()
        both.order(o.Respond("r1"))
        return notices

    assert run(scene()) == [n.ReplyDone("r1", "cancelled", "client_cancelled")]
