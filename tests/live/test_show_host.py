"""What the host changes while the show runs: the run-sheet, and the words of an answer."""

from __future__ import annotations

from tests.live.crowd import says
from tests.live.stage_play import Play, sheet
from voice_server.live import show_events as ev
from voice_server.live.questions import Status
from voice_server.live.show import State
from voice_server.live.show_events import LineKind


def spoken(play: Play, cluster: str) -> list[ev.Line]:
    return [
        command.line
        for _, command in play.log
        if isinstance(command, ev.Speak) and command.line.cluster_id == cluster
    ]


def started(play: Play) -> list[str]:
    return [c.segment_id for _, c in play.log if isinstance(c, ev.SegmentStarted)]


def host_says(cluster: str, *sentences: str) -> ev.HostAnswer:
    return ev.HostAnswer(ev.AnswerReady(cluster, sentences, "fr", by_host=True))


def test_an_edited_sheet_holds_for_segments_that_have_not_begun() -> None:
    play = Play(sheet("oslo", "nemo")).begin()
    play.run(16)
    edited = sheet(
        segments=[
            {"id": "oslo", "product": "oslo", "duration_s": 600, "points": {"fr": ["Nouveau."]}},
            {"id": "break", "duration_s": 20, "points": {"fr": ["Une pause."]}},
            {"id": "nemo", "product": "nemo", "duration_s": 30},
        ]
    )
    play.do(ev.SheetChanged(edited))
    assert play.director.segment is not None
    assert play.director.segment.duration_s == 60  # as it began
    play.run(200)
    assert started(play)[:3] == ["oslo", "break", "nemo"]
    said = [c.line.text for _, c in play.log if isinstance(c, ev.Speak)]
    assert "Nouveau." not in said
    assert "Une pause." in said


def test_a_running_segment_that_is_taken_out_ends_and_does_not_come_again() -> None:
    play = Play(sheet("oslo", "nemo", loop=True)).begin()
    play.run(16)
    play.do(ev.SheetChanged(sheet("nemo", loop=True)))
    assert play.director.product == "oslo"
    play.run(200)
    assert started(play)[:3] == ["oslo", "nemo", "nemo"]


def test_a_sheet_changed_before_the_show_is_the_one_that_begins() -> None:
    play = Play(sheet("oslo"))
    play.do(ev.SheetChanged(sheet("nemo")))
    play.begin()
    play.run(16)
    assert started(play) == ["nemo"]


def test_the_hosts_answer_is_said_next_and_marked() -> None:
    play = Play(sheet("oslo"), answers={}).begin()
    play.run(5)
    play.chat(says("can i wash it ?", "Ana"))
    cluster = next(iter(play.triage._open.values()))
    play.do(host_says(cluster.id, "Oui, à la main.", "Pas en machine."))
    play.run(40)
    lines = spoken(play, cluster.id)
    assert [line.text for line in lines][-2:] == ["Oui, à la main.", "Pas en machine."]
    assert all(line.by_host for line in lines[-2:])
    assert cluster.status is Status.ANSWERED


def test_a_second_host_answer_waits_for_the_first_and_for_the_mute() -> None:
    play = Play(sheet("oslo")).begin()
    play.run(5)
    play.chat(says("can i wash it ?", "Ana"), says("is it heavy ?", "Bo"))
    first, second = list(play.triage._open)
    play.do(ev.Mute())
    play.do(host_says(first, "Oui."))
    play.do(host_says(second, "Non."))
    play.do(ev.Resume())
    play.run(60)
    assert [spoken(play, c)[-1].text for c in (first, second)] == ["Oui.", "Non."]


def test_a_jump_does_not_lose_the_hosts_words() -> None:
    play = Play(sheet("oslo", "nemo")).begin()
    play.run(5)
    play.chat(says("can i wash it ?", "Ana"))
    cluster = next(iter(play.triage._open))
    play.do(host_says(cluster, "Oui, à la main."))
    play.do(ev.Jump("nemo"))
    play.run(40)
    assert spoken(play, cluster)[-1].text == "Oui, à la main."


def test_a_withdrawn_question_takes_its_host_answer_with_it() -> None:
    play = Play(sheet("oslo")).begin()
    play.run(5)
    play.do(host_says("q99", "Personne n'a demandé."))
    play.run(10)
    assert spoken(play, "q99") == []
    assert play.director.state in (State.ON_AIR, State.LULL)


def test_the_hosts_own_sentence_is_marked_and_closing_forgets_what_waits() -> None:
    play = Play(sheet("oslo")).begin()
    play.run(5)
    play.chat(says("can i wash it ?", "Ana"))
    cluster = next(iter(play.triage._open))
    play.do(ev.Say("Bonsoir !", "fr"))
    play.run(20)
    said = [c.line for _, c in play.log if isinstance(c, ev.Speak)]
    assert next(line for line in said if line.kind is LineKind.HOST).by_host
    play.do(host_says(cluster, "Oui."))
    play.do(ev.Stop())
    play.run(60)
    assert play.director.state is State.ENDED
    assert all(line.text != "Oui." for line in spoken(play, cluster))


def test_a_host_answer_replaces_one_that_is_being_prepared() -> None:
    play = Play(sheet("oslo"), answers={"price": ("49 euros.",)}, answer_s=3.0).begin()
    play.run(5)
    play.chat(says("what is the price of oslo ?", "Ana"))
    cluster = next(iter(play.triage._open))
    while not any(isinstance(command, ev.PrepareAnswer) for _, command in play.log):
        play.run(0.5)
    play.do(host_says(cluster, "Elle coûte 49 €."))
    play.run(40)
    assert [line.text for line in spoken(play, cluster)].count("49 euros.") == 0
    assert spoken(play, cluster)[-1].text == "Elle coûte 49 €."


def test_a_host_who_reads_does_not_call_themselves_a_virtual_voice() -> None:
    for language in ("fr", "nl", "de", "en"):
        play = Play(sheet("oslo", policy="tiktok_shop_us", language=language, remind_s=30)).begin()
        play.run(120)
        said = " ".join(c.line.text for _, c in play.log if isinstance(c, ev.Speak)).lower()
        for claim in ("voix virtuelle", "virtuele stem", "virtuelle stimme", "virtual voice"):
            assert claim not in said
        assert any(word in said for word in ("intelligence", "intelligentie", "intelligenz"))


def test_a_host_answer_in_a_lull_is_said_at_once() -> None:
    play = Play(sheet("oslo"), answers={}).begin()
    play.run(5)
    play.chat(says("can i wash it ?", "Ana"))
    cluster = next(iter(play.triage._open))
    while play.director.state is not State.LULL:
        play.run(0.5)
    play.do(host_says(cluster, "Oui, à la main."))
    play.run(10)
    assert spoken(play, cluster)[-1].text == "Oui, à la main."


def test_a_host_answer_replaces_one_that_waits() -> None:
    play = Play(sheet("oslo"), answers={"price": ("49 euros.",)}, answer_s=3.0).begin()
    play.run(5)
    play.chat(says("what is the price of oslo ?", "Ana"))
    cluster = next(iter(play.triage._open))
    play.run(6)
    play.do(host_says(cluster, "Elle coûte 49 €."))
    play.run(40)
    assert [line.text for line in spoken(play, cluster)].count("49 euros.") == 0
    assert spoken(play, cluster)[-1].text == "Elle coûte 49 €."
