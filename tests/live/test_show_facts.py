"""The director when prices and stock change: what is cut, told and answered anew."""

from __future__ import annotations

from tests.live.stage_play import Play, sheet
from tests.live.test_show import commands, on_air
from voice_server.live import show_events as ev
from voice_server.live.show_events import Change, LineKind
from voice_server.live.show_lines import make

PRICE = {"price": ("Cela fait 24.90 €.",)}


def test_the_carded_product_of_an_answer_is_told_of_too() -> None:
    play = on_air(run_sheet=sheet("oslo", "nemo"), answers=PRICE)
    play.ask("what is the price of nemo ?")
    line = play.until(LineKind.ANSWER)
    while line.text != PRICE["price"][0]:
        play.run(0.1)
        line = play.spoken[-1][1]
    play.facts.prices["nemo"] -= 5
    play.do(ev.FactChanged("nemo", Change.PRICE))
    assert ev.CancelSpeech(line.id) in commands(play, ev.CancelSpeech)
    told = play.director.line
    assert told is not None
    assert told.kind is LineKind.NOTICE
    assert "19.90" in told.text
    assert "Nemo" in told.text
    play.facts.prices["oslo"] -= 5
    play.do(ev.FactChanged("oslo", Change.PRICE))
    play.run(10)
    assert any("44.90" in text for text in play.of(LineKind.NOTICE))


def test_a_carded_product_that_vanishes_is_not_announced_but_silenced() -> None:
    play = on_air(run_sheet=sheet("oslo", "nemo"), answers=PRICE)
    play.ask("what is the price of nemo ?")
    play.until(LineKind.ANSWER)
    play.facts.gone.add("nemo")
    play.answers = {}
    play.do(ev.FactChanged("nemo", Change.GONE))
    play.run(10)
    assert PRICE["price"][0] not in play.texts
    assert play.of(LineKind.NOTICE) == []
    assert play.director.product == "oslo"


def test_a_detail_cuts_what_states_it_and_is_told_to_nobody() -> None:
    play = on_air()
    while play.director.line is None or "price" not in play.director.line.uses:
        play.run(0.1)
    wrong = play.director.line
    play.do(ev.FactChanged("oslo", Change.DETAIL))
    assert ev.CancelSpeech(wrong.id) in commands(play, ev.CancelSpeech)
    play.run(20)
    assert play.of(LineKind.NOTICE) == []
    assert wrong.text in play.texts[play.texts.index(wrong.text) + 1 :]  # said again


def test_an_answer_that_waits_and_states_others_prices_is_found_anew() -> None:
    play = on_air(answers=PRICE)
    play.answer_s = 60.0  # we answer ourselves
    question = play.ask("what is the price of nemo ?")
    play.run(0.1)
    ready = ev.AnswerReady(
        question, ("La moins chère fait 24.90 €.",), "fr",
        uses=frozenset({"price"}), about=frozenset({"nemo", "oslo"}),
    )  # fmt: skip
    play.do(ready)
    play.do(ev.FactChanged("nemo", Change.DETAIL))
    orders = commands(play, ev.PrepareAnswer)
    assert len(orders) == 2  # asked for again
    play.run(5)
    assert "La moins chère fait 24.90 €." not in play.texts


def test_a_queued_line_that_became_untrue_is_not_said() -> None:
    play = on_air()
    show = play.director._show
    stated = frozenset({"price"})
    said = make(show, "Elle est à 49.90 €.", LineKind.TALK, product="oslo", uses=stated)
    other = make(show, "Elle est belle.", LineKind.TALK, product="oslo")
    show.queue.extend([said, other])
    play.do(ev.FactChanged("oslo", Change.PRICE))
    play.run(15)
    assert said.text not in play.texts
    assert other.text in play.texts


def test_a_product_that_vanishes_in_mid_sentence_is_silenced_said_and_left() -> None:
    play = on_air(run_sheet=sheet("oslo", "nemo"))
    line = play.director.line
    assert line is not None
    assert line.product_id == "oslo"
    play.facts.gone.add("oslo")
    play.do(ev.FactChanged("oslo", Change.GONE))
    assert ev.CancelSpeech(line.id) in commands(play, ev.CancelSpeech)
    told = play.director.line
    assert told is not None
    assert told.kind is LineKind.NOTICE
    play.run(10)
    assert play.director.product == "nemo"
    after = [spoken for _, spoken in play.spoken if int(spoken.id[1:]) > int(told.id[1:])]
    assert not any("Oslo" in spoken.text for spoken in after)


def test_what_is_shown_counts() -> None:
    play = Play(sheet("oslo", "nemo"))
    assert list(play.director.shown) == ["oslo"]
    play.begin()
    play.until(LineKind.TALK)
    assert list(play.director.shown) == ["oslo", "nemo"]
