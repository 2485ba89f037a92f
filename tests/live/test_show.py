"""The director in virtual time."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.live.crowd import says
from tests.live.stage_play import Play, PlayFacts, sheet
from voice_server.live import show_events as ev
from voice_server.live.chat.envelope import Kind
from voice_server.live.outcomes import Social
from voice_server.live.questions import Status
from voice_server.live.show import TABLE, Director, State
from voice_server.live.show_events import Change, LineKind
from voice_server.live.show_lines import remember
from voice_server.live.show_state import ANSWER_S, MOST_SENTENCES, REMEMBERED, SPEECH_S

PRICE: dict[str, tuple[str, ...]] = {"price": ("Cela fait 49.90 €.", "La livraison est offerte.")}


def on_air(**more: object) -> Play:
    """A show that has said its opening and the first point of the script."""
    play = Play(**more).begin()  # type: ignore[arg-type]
    play.until(LineKind.TALK)
    while play.director.line is None or play.director.line.point < 0:
        play.run(0.1)
    return play


def commands(play: Play, kind: type[ev.Command]) -> list[ev.Command]:
    return [command for _, command in play.log if isinstance(command, kind)]


# -- the run-sheet ----------------------------------------------------------------------------


def test_a_show_without_audience_presents_and_ends() -> None:
    play = Play(sheet("oslo", "nemo")).begin().run(200)
    assert play.is_(State.ENDED)
    assert commands(play, ev.Finished) == [ev.Finished()]
    assert play.of(LineKind.OPENING)[0].startswith("Bonjour")
    assert "intelligence artificielle" in play.of(LineKind.OPENING)[1]
    talk = play.of(LineKind.TALK)
    assert talk[0] == "Commençons tout de suite. Voici la lampe Oslo."
    assert "Elle coûte 49.90 €." in talk
    assert not any("Avant" in text for text in talk)  # there is no former price
    assert [text for text in play.cards() if text] == ["oslo", "nemo"]
    assert play.cards()[-1] == ""
    assert play.of(LineKind.CLOSING)[-1].endswith("Marolle !")
    assert play.director.next_deadline() is None
    assert play.director.segment is not None


def test_what_comes_next_is_prepared() -> None:
    play = on_air()
    assert ev.Prepare("Elle coûte 49.90 €.", "fr") in commands(play, ev.Prepare)


def test_it_loops_without_repeating_itself_soon() -> None:
    play = Play(sheet("oslo", "nemo", loop=True)).begin().run(300)
    rounds = [c.round for c in commands(play, ev.SegmentStarted)]  # type: ignore[union-attr]
    assert max(rounds) >= 2
    points = [line.text for _, line in play.spoken if line.point >= 0]
    assert len(points) == len(set(points))
    play.run(400)
    assert play.of(LineKind.TALK).count("Elle éclaire doucement.") == 2
    assert any("rejoignent" in text for text in play.of(LineKind.OPENING))


def test_segments_without_product_and_products_that_are_gone() -> None:
    facts = PlayFacts()
    facts.gone = {"oslo"}
    segments = [
        {"id": "welcome", "points": {"fr": ["Nous sommes ravis."]}, "duration_s": 10},
        {"product": "oslo"},
        {"id": "empty", "duration_s": 10},
    ]
    play = Play(sheet(segments=segments), facts).begin().run(120)
    assert [c.segment_id for c in commands(play, ev.SegmentStarted)] == ["welcome", "empty"]  # type: ignore[union-attr]
    assert "Nous sommes ravis." in play.texts
    assert play.is_(State.ENDED)


def test_a_segment_ends_at_its_time() -> None:
    points = {"fr": [f"Point numéro {n}." for n in range(60)]}
    segments = [
        {"product": "oslo", "id": "a", "points": points, "duration_s": 20},
        {"product": "nemo", "id": "b", "duration_s": 20},
    ]
    play = Play(sheet(segments=segments)).begin().run(60)
    starts = [at for at, c in play.log if isinstance(c, ev.SegmentStarted)]
    assert 20 <= starts[1] - starts[0] <= 24


def test_a_flash_sale_starts_and_ends_on_time() -> None:
    flash = {"price": "39.90", "starts_s": 10, "lasts_s": 60, "code": "LIVE10"}
    segments = [{"product": "oslo", "id": "a", "duration_s": 150, "flash": flash}]
    play = Play(sheet(segments=segments)).begin().run(150)
    notices = play.of(LineKind.NOTICE)
    assert notices == [
        "Offre flash : la lampe Oslo à 39.90 €, pendant une minute !",
        "Le code à saisir est L I V E 1 0.",
        "L'offre flash est terminée : la lampe Oslo est à nouveau à 49.90 €.",
    ]
    flashes = [(c.flash is not None) for c in commands(play, ev.ShowCard)]  # type: ignore[union-attr]
    assert flashes == [False, True, False, False]
    assert len(play.of(LineKind.BRIDGE)) >= 3  # invited while it waited


def test_a_flash_sale_that_nobody_heard_of_is_not_ended_aloud() -> None:
    flash = {"price": "39.90", "starts_s": 5, "lasts_s": 20}
    segments = [{"product": "oslo", "id": "a", "duration_s": 90, "flash": flash}]
    play = Play(sheet(segments=segments)).begin()
    play.until(LineKind.TALK)
    play.do(ev.Mute())
    play.run(60)
    play.do(ev.Resume())
    play.run(60)
    assert play.of(LineKind.NOTICE) == []


def test_the_reminder_that_an_ai_speaks() -> None:
    play = Play(sheet("oslo", "nemo", loop=True, remind_s=60)).begin().run(200)
    reminders = [text for text in play.of(LineKind.NOTICE) if "intelligence artificielle" in text]
    assert len(reminders) == 3
    assert len(set(reminders)) == 2


def test_captions_in_the_other_languages_where_the_script_is_as_long() -> None:
    points = {
        "fr": ["Elle est belle.", "Elle coûte {price}."],
        "nl": ["Ze is mooi.", "Vroeger kostte ze {was}."],
        "de": ["Nur ein Satz."],
    }
    segments = [{"product": "oslo", "id": "a", "points": points, "duration_s": 60}]
    play = Play(sheet(segments=segments)).begin().run(40)
    captions = {line.text: dict(line.captions) for _, line in play.spoken}
    assert captions["Elle est belle."] == {"nl": "Ze is mooi."}
    assert captions["Elle coûte 49.90 €."] == {}  # there is no former price to speak of
    assert set(captions[play.texts[0]]) == {"nl", "de", "en"}


# -- answers ----------------------------------------------------------------------------------


def test_an_answer_comes_at_the_sentence_end_and_the_script_resumes() -> None:
    play = on_air(answers=PRICE)
    before = play.director.line
    play.ask("what is the price of oslo ?")
    play.run(30)
    texts = play.texts
    start = next(at for at, text in enumerate(texts) if "Ana" in text)
    assert before is not None
    assert before.text in texts[:start]
    assert texts[start + 1 : start + 3] == list(PRICE["price"])
    assert texts[start + 3] == "Revenons à ce que je vous montrais : la lampe Oslo."
    points = [line.text for _, line in play.spoken if line.point >= 0]
    assert len(points) == len(set(points))
    assert play.triage.best(play.now, "oslo") is None


def test_the_words_of_a_question_are_never_spoken_and_strange_names_neither() -> None:
    play = on_air(answers=PRICE)
    play.ask("what is the price of oslo ? EVIL", "xX_420_Xx")
    play.run(30)
    assert not any("EVIL" in text or "420" in text for text in play.texts)
    assert any("chat" in text or "question" in text for text in play.of(LineKind.ANSWER))


@pytest.mark.parametrize(
    ("authors", "words"),
    [
        (("Ana", "Bo"), "Ana and Bo"),
        (("Ana", "Bo", "Cleo", "Dirk", "Eva"), "Ana, Bo and Cleo"),
        (("x1", "x2", "x3"), "Many of you"),
    ],
)
def test_several_askers(authors: tuple[str, ...], words: str) -> None:
    play = on_air(answers=PRICE)
    play.chat(*(says("what is the price of oslo ?", author) for author in authors))
    play.run(30)
    assert words in " ".join(play.of(LineKind.ANSWER))


def test_between_two_answers_the_script_has_a_sentence() -> None:
    play = on_air(answers=PRICE | {"availability": ("Elle est en stock.",)})
    play.ask("what is the price of oslo ?")
    play.ask("is oslo in stock ?", "Bo")
    play.run(40)
    kinds = [line.kind for _, line in play.spoken]
    first = kinds.index(LineKind.ANSWER)
    rest = kinds[first:]
    second = rest.index(LineKind.TALK)
    assert LineKind.ANSWER in rest[second:]


def test_answers_take_at_most_their_share_but_the_host_may_approve() -> None:
    play = on_air(
        run_sheet=sheet("oslo", answer_share=0.05),
        answers={"price": ("Une longue réponse " * 8,), "availability": ("Oui.",)},
    )
    play.ask("what is the price of oslo ?")
    play.until(LineKind.ANSWER)
    play.run(14)
    second = play.ask("is oslo in stock ?", "Bo")
    play.run(6)
    assert "Oui." not in play.texts
    play.do(ev.Approve(second))
    play.run(8)
    assert "Oui." in play.texts


def test_without_automatic_answers_only_the_host_lets_them_through() -> None:
    play = on_air(run_sheet=sheet("oslo", auto_answer=False), answers=PRICE)
    question = play.ask("what is the price of oslo ?")
    play.run(5)
    assert not commands(play, ev.PrepareAnswer)
    play.do(ev.Approve(question))
    play.run(10)
    assert PRICE["price"][0] in play.texts


def test_an_approved_question_overtakes_the_answer_that_waits() -> None:
    play = on_air(answers=PRICE | {"availability": ("En stock.",)}, answer_s=0.0)
    play.ask("what is the price of oslo ?")
    other = play.ask("is oslo in stock ?", "Bo")
    play.run(0.01)
    play.do(ev.Approve(other))
    play.run(20)
    assert play.texts.index("En stock.") < play.texts.index(PRICE["price"][0])


def test_what_nobody_knows_goes_to_the_host() -> None:
    play = on_air()
    failed = play.ask("what is the price of oslo ?")
    play.run(5)
    cluster = play.triage.get(failed)
    assert cluster is not None
    assert (cluster.status, cluster.reason) == (Status.HOST, "unknown")


def test_an_empty_answer_is_none() -> None:
    play = on_air(answers={"price": (" ",)})
    failed = play.ask("what is the price of oslo ?")
    play.run(5)
    cluster = play.triage.get(failed)
    assert cluster is not None
    assert cluster.status is Status.HOST


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    play = on_air(answers=PRICE, answer_s=60.0)
    late = play.ask("what is the price of oslo ?")
    play.run(ANSWER_S + 1)
    cluster = play.triage.get(late)
    assert cluster is not None
    assert cluster.reason == "slow"
    play.run(60)
    assert not play.of(LineKind.ANSWER)  # the late one is stale


def test_answers_that_nobody_waits_for_are_nothing() -> None:
    play = on_air()
    before = play.director.line
    play.do(ev.AnswerFailed("other", "x"))
    play.do(ev.AnswerReady("other", ("Oui.",), "fr"))
    assert play.director.line is before
    play.run(60)
    assert "Oui." not in play.texts


def test_the_rest_of_a_thought_is_prepared_while_it_begins() -> None:
    play = on_air(answers=PRICE)
    play.ask("what is the price of oslo ?")
    play.run(30)
    prepared = [c.text for c in commands(play, ev.Prepare)]  # type: ignore[union-attr]
    assert set(PRICE["price"]) <= set(prepared)
    spoken = set(play.texts)
    assert len([text for text in prepared if text in spoken]) / len(prepared) > 0.8


def test_answers_are_short() -> None:
    play = on_air(answers={"price": tuple(f"Phrase {n}." for n in range(9))})
    play.ask("what is the price of oslo ?")
    play.run(40)
    assert len([text for text in play.texts if text.startswith("Phrase")]) == MOST_SENTENCES


def test_the_card_follows_the_answer_and_comes_back() -> None:
    play = on_air(run_sheet=sheet("oslo", "nemo"), answers=PRICE)
    play.ask("what is the price of nemo ?")
    play.run(20)
    assert [card for card in play.cards() if card][:3] == ["oslo", "nemo", "oslo"]


def test_the_answer_is_in_the_language_of_the_asker_or_of_the_show() -> None:
    play = on_air(answers=PRICE)
    play.ask("what is the price of oslo ?", language="nl")
    play.run(20)
    assert {line.language for _, line in play.spoken if line.kind is LineKind.ANSWER} == {"nl"}
    own = on_air(run_sheet=sheet("oslo", answer_in_asker_language=False), answers=PRICE)
    own.ask("what is the price of oslo ?", language="nl")
    own.run(20)
    assert {line.language for _, line in own.spoken} == {"fr"}


def test_what_an_answer_said_the_script_does_not_say_again() -> None:
    play = on_air(answers={"price": ("Elle coûte 49.90 €.",)})
    play.ask("what is the price of oslo ?")
    play.run(60)
    assert play.texts.count("Elle coûte 49.90 €.") == 1


def test_a_question_in_the_lull_is_answered_at_once() -> None:
    play = on_air(answers=PRICE)
    while play.state is not State.LULL:
        play.run(0.1)
    play.ask("what is the price of oslo ?")
    play.run(1.0)
    assert play.director.line is not None
    assert play.director.line.kind is LineKind.ANSWER


# -- deletes ----------------------------------------------------------------------------------


def test_a_deleted_question_is_silenced_in_mid_sentence() -> None:
    play = on_air(answers=PRICE)
    play.ask("what is the price of oslo ?", ident="m1")
    line = play.until(LineKind.ANSWER)
    play.run(0.3)
    play.chat(says("", kind=Kind.DELETE, target="m1"))
    assert ev.CancelSpeech(line.id) in commands(play, ev.CancelSpeech)
    play.run(10)
    assert PRICE["price"][0] not in play.texts
    assert play.is_(State.ON_AIR)


def test_a_deleted_question_is_not_answered_while_it_is_prepared_or_waits() -> None:
    for wait in (0.1, 1.0):
        play = on_air(answers=PRICE)
        play.ask("what is the price of oslo ?", ident="m1")
        play.run(wait)
        play.chat(says("", kind=Kind.DELETE, target="m1"))
        play.run(20)
        assert not play.of(LineKind.ANSWER)


def test_one_of_two_askers_deleted_is_not_named() -> None:
    play = on_air(answers=PRICE)
    play.chat(says("what is the price of oslo ?", "Ana", ident="m1"))
    play.chat(says("what is the price of oslo ?", "Bo"))
    play.chat(says("", kind=Kind.DELETE, target="m1"))
    play.run(20)
    assert not any("Ana" in text for text in play.texts)


# -- facts ------------------------------------------------------------------------------------


def test_a_price_that_changes_in_mid_sentence_is_cut_and_corrected() -> None:
    play = on_air()
    while play.director.line is None or "price" not in play.director.line.uses:
        play.run(0.1)
    wrong = play.director.line
    play.facts.prices["oslo"] = play.facts.prices["oslo"] - 10
    play.do(ev.FactChanged("oslo", Change.PRICE))
    assert ev.CancelSpeech(wrong.id) in commands(play, ev.CancelSpeech)
    line = play.director.line
    assert line is not None
    assert "39.90" in line.text
    play.run(10)
    assert "Elle coûte 39.90 €." in play.texts  # the point is said again, truly


def test_another_sentence_is_finished_first() -> None:
    play = on_air()
    line = play.director.line
    play.do(ev.FactChanged("oslo", Change.SOLD_OUT))
    play.do(ev.FactChanged("oslo", Change.SOLD_OUT))
    play.do(ev.FactChanged("nemo", Change.PRICE))
    assert play.director.line is line
    play.run(6)
    assert play.of(LineKind.NOTICE) == ["La lampe Oslo vient d'être épuisée, je suis désolée."]


def test_a_stale_answer_is_made_anew() -> None:
    play = on_air(answers=PRICE)
    play.ask("what is the price of oslo ?")
    play.run(1.0)
    play.answers = {"price": ("Elle coûte 39 €.",)}
    play.do(ev.FactChanged("oslo", Change.PRICE))
    play.run(20)
    assert PRICE["price"][0] not in play.texts
    assert "Elle coûte 39 €." in play.texts


def test_a_product_that_vanishes_in_mid_sentence() -> None:
    play = on_air(run_sheet=sheet("oslo", "nemo"))
    play.facts.gone.add("oslo")
    play.do(ev.FactChanged("oslo", Change.GONE))
    play.run(8)
    assert play.of(LineKind.NOTICE) == ["Ce produit n'est plus disponible, je passe à la suite."]
    assert play.director.product == "nemo"


def test_a_change_in_the_lull_is_told_at_once() -> None:
    play = on_air()
    while play.state is not State.LULL:
        play.run(0.1)
    play.do(ev.FactChanged("oslo", Change.BACK))
    assert play.director.line is not None
    assert play.director.line.kind is LineKind.NOTICE


# -- people -----------------------------------------------------------------------------------


def test_greetings_and_thanks_come_in_batches() -> None:
    play = on_air(run_sheet=sheet("oslo", "nemo", loop=True))
    play.do(ev.Crowd((Social(Kind.JOIN, "Ana", "fr"), Social(Kind.GIFT, "Bo", "fr", 3))))
    play.run(10)
    assert play.of(LineKind.SOCIAL) == ["Un grand merci pour vos cadeaux, Bo !"]
    play.do(ev.Crowd(tuple(Social(Kind.JOIN, f"Viewer{'abcdefgh'[n]}", "fr") for n in range(8))))
    play.run(30)
    assert play.of(LineKind.SOCIAL)[1].startswith("Bonjour Ana, Viewera et Viewerb")
    play.do(ev.Crowd((Social(Kind.JOIN, "x_x", "fr"), Social(Kind.FOLLOW, "y_y", "fr"))))
    play.run(60)
    assert play.of(LineKind.SOCIAL)[2:] == [
        "Merci à toutes et à tous pour votre soutien !",
        "Bonjour et bienvenue à toutes celles et ceux qui nous rejoignent !",
    ]


def test_a_raid_of_a_thousand_is_one_greeting() -> None:
    play = on_air()
    play.do(ev.Crowd(tuple(Social(Kind.JOIN, f"V{n}", "fr") for n in range(1000))))
    play.run(20)
    assert len(play.of(LineKind.SOCIAL)) == 1


def test_a_guest_in_the_lull_is_greeted_at_once() -> None:
    play = on_air()
    while play.state is not State.LULL:
        play.run(0.1)
    play.do(ev.Crowd((Social(Kind.JOIN, "Ana", "fr"),)))
    assert play.director.line is not None
    assert play.director.line.text == "Bonjour Ana, bienvenue !"


# -- the host ---------------------------------------------------------------------------------


def test_the_hosts_words_come_next() -> None:
    play = on_air()
    play.do(ev.Say("Un mot de Claire.", "fr"))
    play.run(6)
    assert play.of(LineKind.HOST) == ["Un mot de Claire."]
    while play.state is not State.LULL:
        play.run(0.1)
    play.do(ev.Say("Encore un mot.", "fr"))
    assert play.director.line is not None
    assert play.director.line.text == "Encore un mot."


@pytest.mark.parametrize("pause", [ev.Mute(), ev.TakeOver()])
def test_silence_at_once_and_the_same_sentence_again(pause: ev.Input) -> None:
    play = on_air()
    cut = play.director.line
    assert cut is not None
    play.do(pause)
    assert ev.CancelSpeech(cut.id) in commands(play, ev.CancelSpeech)
    play.run(500)
    assert play.director.line is None
    play.do(ev.Resume())
    play.run(8)
    assert play.of(LineKind.TALK).count(cut.text) == 2
    assert play.director.product == "oslo"  # the segment's time stood still


def test_an_interrupted_notice_is_said_again() -> None:
    play = on_air()
    play.do(ev.FactChanged("oslo", Change.SOLD_OUT))
    play.until(LineKind.NOTICE)
    play.do(ev.TakeOver())
    play.do(ev.Mute())
    play.do(ev.TakeOver())
    play.do(ev.Resume())
    play.run(6)
    assert len(play.of(LineKind.NOTICE)) == 2


def test_while_the_host_speaks_everything_is_kept() -> None:
    play = on_air(answers=PRICE)
    play.do(ev.TakeOver())
    question = play.ask("what is the price of oslo ?")
    play.do(ev.Say("Merci.", "fr"))
    play.do(ev.Crowd((Social(Kind.JOIN, "Bo", "fr"),)))
    play.do(ev.Approve(question))
    play.run(5)
    assert play.director.line is None
    play.do(ev.Resume())
    play.run(40)
    assert "Merci." in play.texts
    assert PRICE["price"][0] in play.texts


def test_skipping_the_answer_that_is_spoken() -> None:
    play = on_air(answers=PRICE)
    question = play.ask("what is the price of oslo ?")
    play.until(LineKind.ANSWER)
    play.do(ev.Skip(question))
    play.do(ev.Skip("nothing"))
    play.run(10)
    assert PRICE["price"][0] not in play.texts
    cluster = play.triage.get(question)
    assert cluster is not None
    assert cluster.status is Status.SKIPPED


def test_jumping() -> None:
    play = on_air(run_sheet=sheet("oslo", "nemo"), answers=PRICE, answer_s=5.0)
    question = play.ask("what is the price of oslo ?")
    play.do(ev.Jump("nowhere"))
    assert play.director.product == "oslo"
    play.do(ev.Jump("nemo"))
    assert play.director.product == "nemo"
    assert play.director.line is not None
    assert "Nemo" in play.director.line.text
    cluster = play.triage.get(question)
    assert cluster is not None
    play.do(ev.Mute())
    play.do(ev.Jump("oslo"))
    assert play.director.line is None
    play.do(ev.Resume())
    assert play.director.line is not None
    assert "Oslo" in play.director.line.text


def test_stopping_says_goodbye_and_stopping_twice_does_not() -> None:
    play = on_air(answers=PRICE)
    play.ask("what is the price of oslo ?")
    play.run(1.0)
    play.do(ev.Stop())
    assert play.is_(State.CLOSING)
    play.run(30)
    assert play.is_(State.ENDED)
    assert play.texts[-1].endswith("Marolle !")
    twice = on_air()
    twice.do(ev.Stop())
    twice.do(ev.Stop())
    assert twice.is_(State.ENDED)
    lull = on_air()
    while lull.state is not State.LULL:
        lull.run(0.1)
    lull.do(ev.Stop())
    assert lull.director.line is not None
    muted = on_air()
    muted.do(ev.Mute())
    muted.do(ev.Stop())
    assert muted.is_(State.ENDED)
    never = Play()
    never.do(ev.Stop())
    assert never.is_(State.ENDED)
    assert never.director.segment is None


# -- engines that fail ------------------------------------------------------------------------


def test_a_line_that_fails_is_passed_over() -> None:
    play = on_air()
    line = play.director.line
    assert line is not None
    play.events.clear()
    play.do(ev.SpeechFailed("another"))
    play.do(ev.Spoken("another"))
    play.do(ev.SpeechFailed(line.id))
    assert play.director.line is not None
    assert play.director.line.id != line.id


def test_a_dead_engine_does_not_burn_the_script() -> None:
    play = on_air()
    for _ in range(3):
        assert play.director.line is not None
        play.events.clear()
        play.do(ev.SpeechFailed(play.director.line.id))
    assert play.is_(State.LULL)
    play.run(5)
    assert play.is_(State.ON_AIR)
    play.do(ev.Stop())
    for _ in range(3):
        if play.director.line is not None:
            play.events.clear()
            play.do(ev.SpeechFailed(play.director.line.id))
    assert play.is_(State.ENDED)


def test_an_engine_that_says_nothing_is_waited_for_boundedly() -> None:
    play = on_air()
    play.run(0.0)
    play.mute_engine = True
    play.events.clear()
    line = play.director.line
    assert line is not None
    play.run(SPEECH_S + 1)
    assert ev.CancelSpeech(line.id) in commands(play, ev.CancelSpeech)


def test_timers_that_an_earlier_one_made_needless_do_not_fire() -> None:
    flash = {"price": "39.90", "starts_s": 100, "lasts_s": 20}
    segments = [{"product": "oslo", "id": "a", "duration_s": 90, "flash": flash}, {"id": "b"}]
    play = on_air(run_sheet=sheet(segments=segments))
    while play.state is not State.LULL:
        play.run(0.1)
    play.director.tick(play.now + 120)  # the machine slept
    assert not any(c.flash for c in commands(play, ev.ShowCard))  # type: ignore[union-attr]
    assert play.director.segment is not None
    assert play.director.segment.id == "b"


def test_all_products_gone_ends_even_a_loop() -> None:
    play = on_air(run_sheet=sheet("oslo", "nemo", loop=True))
    play.facts.gone |= {"oslo", "nemo"}
    play.do(ev.FactChanged("oslo", Change.GONE))
    play.run(40)
    assert play.is_(State.ENDED)


def test_a_second_answer_after_the_script_is_used_up() -> None:
    play = on_air(answers=PRICE | {"availability": ("En stock.",)})
    play.run(8)
    while play.state is not State.LULL:
        play.run(0.1)
    play.chat(says("what is the price of oslo ?"), says("is oslo in stock ?", "Bo"))
    play.run(12)
    assert PRICE["price"][0] in play.texts
    assert "En stock." in play.texts


def test_an_answer_that_became_ready_during_a_greeting_needs_no_script_that_is_used_up() -> None:
    play = on_air(answers=PRICE | {"availability": ("En stock.",)})
    while play.state is not State.LULL:
        play.run(0.1)
    play.ask("what is the price of oslo ?")
    play.until(LineKind.ANSWER)
    play.ask("is oslo in stock ?", "Bo")
    play.do(ev.Crowd((Social(Kind.JOIN, "Cleo", "fr"),)))
    play.run(15)
    texts = play.texts
    assert texts.index("Bonjour Cleo, bienvenue !") < texts.index("En stock.")


def test_reminders_do_not_pile_up() -> None:
    play = on_air(run_sheet=sheet("oslo", remind_s=30))
    play.do(ev.Mute())
    play.run(200)
    play.do(ev.Resume())
    play.run(10)
    assert len(play.of(LineKind.NOTICE)) == 1


def test_what_was_said_is_remembered_boundedly() -> None:
    play = on_air()
    for at in range(600):
        remember(play.director._show, f"Phrase {at}.", play.now)
    assert len(play.director._show.said) == REMEMBERED


def test_without_product_nobody_points_at_a_card() -> None:
    points = {"fr": [f"Point {n}." for n in range(5)]}
    segments = [{"id": "welcome", "points": points, "duration_s": 60}]
    play = Play(sheet(segments=segments)).begin().run(30)
    gestures = {line.gesture for _, line in play.spoken if line.point >= 0}
    assert not gestures & {"point_card", "hold_product"}


# -- always -----------------------------------------------------------------------------------


def test_every_state_knows_every_input() -> None:
    for state in State:
        assert set(TABLE[state]) == set(TABLE[State.IDLE])


INPUTS = st.one_of(
    st.sampled_from(
        [
            ev.Mute(), ev.TakeOver(), ev.Resume(), ev.Jump("nemo"), ev.Jump("oslo"),
            ev.Say("Bonjour.", "fr"), ev.Nudge(), ev.Approve("q1"), ev.Skip("q2"),
            ev.Withdrawn("q1"), ev.FactChanged("oslo", Change.PRICE),
            ev.FactChanged("oslo", Change.LOW), ev.FactChanged("nemo", Change.SOLD_OUT),
            ev.Crowd((Social(Kind.JOIN, "Ana", "fr"), Social(Kind.GIFT, "Bo", "fr"))),
            ev.AnswerReady("q1", ("Oui.",), "fr"), ev.AnswerFailed("q1", "x"),
            ev.Spoken("l3"), ev.SpeechFailed("l4"), ev.Begin(),
        ]
    ),
    st.sampled_from(["price ?", "oslo in stock ?", "waterproof ?", "hello", "nemo price ?"]),
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.tuples(INPUTS, st.floats(0, 20)), max_size=40), st.booleans())
def test_whatever_happens_one_voice_speaks_and_the_show_goes_on(
    story: list[tuple[ev.Input | str, float]], loop: bool
) -> None:
    play = Play(sheet("oslo", "nemo", loop=loop), answers=PRICE)
    play.begin()
    for event, wait in story:
        if isinstance(event, str):
            play.ask(event, author=f"V{wait:.0f}")
        else:
            play.do(event)
        play.run(wait)
    assert play.state in State
    if play.state in (State.MUTED, State.HOST):
        assert play.director.line is None
        play.do(ev.Resume())
    before = len(play.spoken)
    play.run(SPEECH_S + 30)
    assert len(play.spoken) > before or play.state is State.ENDED
    play.do(ev.Stop())
    play.run(60)
    assert play.is_(State.ENDED)
    assert all(line.text.strip() for _, line in play.spoken)


def test_a_recorded_show_replays_word_for_word() -> None:
    play = Play(sheet("oslo", "nemo", loop=True), answers=PRICE).begin()
    for at, text in enumerate(["price of oslo ?", "hello", "stock ?", "nemo price ?"]):
        play.ask(text, f"V{'abcd'[at]}")
        play.run(17)
    play.do(ev.Stop())
    play.run(40)
    again = Play(sheet("oslo", "nemo", loop=True), answers=PRICE).begin()
    for at, text in enumerate(["price of oslo ?", "hello", "stock ?", "nemo price ?"]):
        again.ask(text, f"V{'abcd'[at]}")
        again.run(17)
    again.do(ev.Stop())
    again.run(40)
    assert again.log == play.log
    assert copy.copy(play.inputs) == again.inputs


def test_the_director_is_small_from_outside() -> None:
    director = Director(sheet(), PlayFacts(), Play().triage)
    assert (director.state, director.product, director.line) == (State.IDLE, "", None)
    assert director.tick(0.0) == []
