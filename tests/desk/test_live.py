"""Who has control, and who hears what: the whole of a take-over without sockets or clocks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from voice_server.desk import live as v
from voice_server.desk.live import Control, Takeover


def dutch() -> Takeover:
    """A Dutch caller of a company that speaks French."""
    return Takeover("fr", "nl")


class Scene:
    """Feeds a take-over and remembers what it wanted."""

    def __init__(self, takeover: Takeover) -> None:
        self.takeover = takeover
        self.now = 100.0
        self.out: list[v.Action] = []

    def do(self, happening: v.Happening, after: float = 0.0) -> list[v.Action]:
        self.now += after
        out = self.takeover.receive(happening, self.now)
        self.out += out
        return out

    def wait(self, seconds: float) -> list[v.Action]:
        """Let time pass as the shell does: tick at each deadline."""
        end, out = self.now + seconds, []
        while (due := self.takeover.next_deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            ticked = self.takeover.tick(self.now)
            out += ticked
            if not ticked and self.takeover.next_deadline() == due:
                break
        self.now = end
        self.out += out
        return out

    def control(self) -> Control:
        return self.takeover.control

    def spoken(self) -> list[v.Announce | v.Speak]:
        return [one for one in self.out if isinstance(one, v.Announce | v.Speak)]

    def finish(
        self, heard: str = "", *, whole: bool = True, started: bool = True
    ) -> list[v.Action]:
        """The last thing to be said has been said."""
        return self.do(v.SayEnded(self.spoken()[-1].id, heard, whole, started))


def taken() -> Scene:
    """A conversation that Léa has taken, after her introduction."""
    scene = Scene(dutch())
    scene.do(v.Claimed("Léa"))
    scene.finish()
    return scene


def test_a_claim_mutes_the_assistant_and_introduces_the_person() -> None:
    scene = Scene(dutch())
    assert scene.do(v.Claimed("Léa")) == [
        v.Mute(),
        v.ShowControl(Control.HUMAN),
        v.Announce("joined_1.1", "joined", "Léa"),
    ]
    assert scene.takeover.agent == "Léa"
    assert scene.do(v.Claimed("Tom")) == []
    assert scene.takeover.agent == "Tom"


def test_the_persons_words_reach_the_customer_in_theirs() -> None:
    scene = taken()
    assert scene.do(v.HumanSaid("m1", "Bonjour")) == [
        v.Show("m1", "human", "Bonjour", "fr", status="waiting"),
        v.AskTranslation("m1", "Bonjour", "fr", "nl"),
    ]
    assert scene.do(v.TranslationDone("m1", "Goedendag", ok=True)) == [
        v.Show("m1", "human", "Bonjour", "fr", "Goedendag", status="waiting"),
        v.Show("m1", "human", "Bonjour", "fr", "Goedendag", status="saying"),
        v.Speak("m1.1", "Goedendag", "nl"),
    ]
    assert scene.finish("Goedendag") == [
        v.Show("m1", "human", "Bonjour", "fr", "Goedendag", status="heard", heard="Goedendag")
    ]


def test_the_customers_words_reach_the_person_in_theirs() -> None:
    scene = taken()
    assert scene.do(v.CustomerSaid("i1", "Waar is BE-10023?", "nl")) == [
        v.Show("i1", "user", "Waar is BE-10023?", "nl"),
        v.AskTranslation("i1", "Waar is BE-10023?", "nl", "fr"),
    ]
    assert scene.do(v.TranslationDone("i1", "Où est BE-10023 ?", ok=True)) == [
        v.Show("i1", "user", "Waar is BE-10023?", "nl", "Où est BE-10023 ?")
    ]
    assert scene.do(v.TranslationDone("i1", "encore", ok=True)) == []
    assert scene.do(v.CustomerSaid("i1", "Waar is BE-10023?", "nl")) == []


def test_without_a_translation_the_words_go_as_they_are_and_that_is_said() -> None:
    scene = taken()
    scene.do(v.HumanSaid("m1", "Bonjour"))
    out = scene.do(v.TranslationDone("m1", "Bonjour", ok=False))
    assert out[-1] == v.Announce("untranslated_2.1", "untranslated")
    assert scene.finish() == [
        v.Show("m1", "human", "Bonjour", "fr", translated=False, status="saying"),
        v.Speak("m1.1", "Bonjour", "fr"),
    ]
    scene.do(v.CustomerSaid("i1", "Hallo", "nl"))
    assert scene.do(v.TranslationDone("i1", "Hallo", ok=False)) == [
        v.Show("i1", "user", "Hallo", "nl", translated=False)
    ]


def test_one_language_needs_no_translation() -> None:
    scene = Scene(Takeover("fr", "fr"))
    scene.do(v.Claimed())
    scene.finish()
    assert scene.do(v.HumanSaid("m1", "Bonjour"))[-1] == v.Speak("m1.1", "Bonjour", "fr")
    assert scene.do(v.CustomerSaid("i1", "Merci", "fr")) == [v.Show("i1", "user", "Merci", "fr")]
    assert scene.do(v.CustomerSaid("i2", "Merci", "")) == [v.Show("i2", "user", "Merci", "fr")]


def test_messages_are_said_one_after_the_other_in_the_persons_order() -> None:
    scene = taken()
    scene.do(v.HumanSaid("m1", "Un"))
    scene.do(v.HumanSaid("m2", "Deux"))
    scene.do(v.TranslationDone("m2", "Twee", ok=True))
    assert len(scene.spoken()) == 1, "the second waits for the first one's translation"
    scene.do(v.TranslationDone("m1", "Een", ok=True))
    assert scene.spoken()[-1] == v.Speak("m1.1", "Een", "nl")
    scene.finish("Een")
    assert scene.spoken()[-1] == v.Speak("m2.1", "Twee", "nl")


def test_what_the_customer_cut_short_is_shown_as_cut() -> None:
    scene = taken()
    scene.do(v.HumanSaid("m1", "Un long message"))
    scene.do(v.TranslationDone("m1", "Een lang bericht", ok=True))
    out = scene.finish("Een", whole=False)
    assert out[0] == v.Show(
        "m1", "human", "Un long message", "fr", "Een lang bericht", status="cut", heard="Een"
    )


def test_words_wait_while_the_customer_speaks() -> None:
    scene = taken()
    scene.do(v.HumanSaid("m1", "Bonjour"))
    scene.do(v.TranslationDone("m1", "Goedendag", ok=True))
    assert scene.finish(started=False) == []
    assert scene.takeover.next_deadline() == scene.now + v.SAY_RETRY_S
    assert scene.takeover.tick(scene.now) == []
    assert scene.wait(v.SAY_RETRY_S)[-1] == v.Speak("m1.2", "Goedendag", "nl")
    assert scene.do(v.SayEnded("m1.1", "", whole=True)) == [], "an answer to the first try is late"
    assert scene.finish("Goedendag") != []


def test_after_the_hand_back_an_ai_says_that_it_is_one_before_it_answers() -> None:
    scene = taken()
    assert scene.do(v.HandedBack()) == [
        v.ShowControl(Control.RETURNING),
        v.Announce("returned_2.1", "returned", interruptible=False),
    ]
    assert scene.control() is Control.RETURNING
    assert scene.finish() == [v.Unmute(), v.ShowControl(Control.BOT)]
    assert scene.control() is Control.BOT
    assert scene.do(v.HandedBack()) == []


def test_an_interrupted_disclosure_is_said_once_more() -> None:
    scene = taken()
    scene.do(v.HandedBack())
    out = scene.finish("U spreekt", whole=False)
    assert out == [v.Announce("returned_2.2", "returned", interruptible=False)]
    assert scene.takeover.control is Control.RETURNING
    assert scene.finish("U spreekt", whole=False) == [v.Unmute(), v.ShowControl(Control.BOT)]


def test_a_disclosure_that_could_not_begin_was_not_made() -> None:
    scene = taken()
    scene.do(v.HandedBack())
    for _ in range(5):
        assert scene.finish(started=False) == []
        assert isinstance(scene.wait(v.SAY_RETRY_S)[0], v.Announce)
    assert scene.takeover.control is Control.RETURNING
    assert scene.finish()[0] == v.Unmute()


def test_last_words_are_said_before_control_comes_back() -> None:
    scene = taken()
    scene.do(v.HumanSaid("m1", "Au revoir"))
    scene.do(v.HandedBack())
    scene.do(v.TranslationDone("m1", "Tot ziens", ok=True))
    assert scene.spoken()[-1] == v.Speak("m1.1", "Tot ziens", "nl")
    scene.finish("Tot ziens")
    assert isinstance(scene.spoken()[-1], v.Announce)
    assert scene.finish()[0] == v.Unmute()


def test_a_waiting_customer_is_reassured_and_a_silent_person_replaced() -> None:
    scene = taken()
    scene.do(v.HumanSaid("m1", "Je regarde"))
    scene.do(v.TranslationDone("m1", "Ik kijk even", ok=True))
    scene.finish("Ik kijk even")
    assert scene.takeover.next_deadline() is None, "nobody owes anybody anything"
    scene.do(v.CustomerSaid("i1", "En?", "nl"))
    assert scene.takeover.tick(scene.now + 1) == [], "too soon"
    assert scene.wait(v.REASSURE_S) == [v.Announce("reassure_2.1", "reassure")]
    scene.finish()
    assert scene.wait(60) == [], "once is enough"
    out = scene.wait(v.ABANDON_S)
    assert out == [
        v.ShowControl(Control.RETURNING, abandoned=True),
        v.Announce("abandoned_3.1", "abandoned", interruptible=False),
    ]
    assert scene.finish()[0] == v.Unmute()


def test_nobody_is_reassured_while_words_are_on_their_way() -> None:
    scene = taken()
    scene.do(v.CustomerSaid("i1", "En?", "nl"))
    scene.do(v.HumanSaid("m1", "Voilà"))
    scene.do(v.CustomerSaid("i2", "Hallo?", "nl"))
    assert scene.wait(v.REASSURE_S) == []


def test_a_person_who_comes_back_during_the_hand_back_has_control_again() -> None:
    scene = taken()
    scene.do(v.HandedBack())
    out = scene.do(v.Claimed("Tom"))
    assert out[0] == v.Mute()
    assert scene.takeover.control is Control.HUMAN


def test_when_the_customer_is_gone_nothing_more_is_said() -> None:
    scene = taken()
    scene.do(v.HumanSaid("m1", "Bonjour"))
    assert scene.do(v.Ended()) == [v.ShowControl(Control.CLOSED)]
    assert scene.do(v.Ended()) == []
    assert scene.do(v.TranslationDone("m1", "Goedendag", ok=True)) == []
    assert scene.do(v.HumanSaid("m2", "Allô")) == []
    assert scene.do(v.CustomerSaid("i9", "Hallo", "nl")) == []
    assert scene.takeover.next_deadline() is None
    with pytest.raises(v.IllegalStep, match="closed cannot become human"):
        scene.do(v.Claimed("Léa"))


def test_what_does_not_count() -> None:
    scene = taken()
    assert scene.do(v.HumanSaid("m1", "  ")) == []
    assert scene.do(v.CustomerSaid("i1", "", "nl")) == []
    scene.do(v.HumanSaid("m2", "Oui"))
    assert scene.do(v.HumanSaid("m2", "Oui")) == [], "a webhook that came twice"
    assert scene.do(v.SayEnded("nobody.1", "", whole=True)) == []
    bot = Scene(dutch())
    assert bot.do(v.HumanSaid("m1", "Oui")) == []
    assert bot.do(v.CustomerSaid("i1", "Hallo", "nl"))[0] == v.Show("i1", "user", "Hallo", "nl")
    assert bot.takeover.next_deadline() is None
    assert bot.takeover.tick(1.0) == []


def test_the_customer_may_change_language() -> None:
    scene = taken()
    scene.do(v.CustomerSaid("i1", "Können Sie Deutsch?", "de"))
    assert scene.do(v.HumanSaid("m1", "Oui"))[-1] == v.AskTranslation("m1", "Oui", "fr", "de")


def test_control_that_was_passed_waits_for_a_person_who_is_introduced() -> None:
    scene = Scene(dutch())
    assert scene.do(v.Passed()) == [
        v.Mute(), v.ShowControl(Control.HUMAN), v.Announce("passed_1.1", "passed"),
    ]  # fmt: skip
    assert scene.do(v.Passed()) == []
    scene.finish()
    out = scene.do(v.HumanSaid("m1", "Bonjour", agent="Léa"))
    assert out[0] == v.Announce("joined_2.1", "joined", "Léa")
    scene.finish()
    scene.do(v.TranslationDone("m1", "Goedendag", ok=True))
    assert scene.spoken()[-1] == v.Speak("m1.1", "Goedendag", "nl")
    assert scene.do(v.HumanSaid("m2", "Oui", agent="Léa"))[0] == v.Show(
        "m2", "human", "Oui", "fr", status="waiting"
    )


def test_nobody_comes() -> None:
    scene = Scene(dutch())
    scene.do(v.Passed())
    scene.finish()
    scene.wait(v.REASSURE_S)
    scene.finish()
    out = scene.wait(v.ABANDON_S)
    assert out[0] == v.ShowControl(Control.RETURNING, abandoned=True)


def test_a_person_who_claims_what_was_passed_is_introduced() -> None:
    scene = Scene(dutch())
    scene.do(v.Passed())
    scene.finish()
    assert scene.do(v.Claimed("Léa")) == [v.Announce("joined_2.1", "joined", "Léa")]


class AnyOrder(RuleBasedStateMachine):
    """Whatever happens in whatever order, these things hold."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene(dutch())
        self.muted = False
        self.current: str | None = None
        self.translations: list[str] = []
        self.disclosed = True
        self.count = 0
        self.cuts: dict[str, int] = {}

    def apply(self, out: list[v.Action]) -> None:
        for action in out:
            match action:
                case v.Mute():
                    self.muted, self.disclosed, self.current = True, False, None
                case v.Unmute():
                    assert self.muted
                    assert self.disclosed, "an AI would speak without saying that it is one"
                    self.muted = False
                case v.Speak() | v.Announce():
                    assert self.current is None, "two things at once"
                    self.current = action.id
                case v.AskTranslation():
                    self.translations.append(action.id)
                case _:
                    pass

    @rule(agent=st.sampled_from(["Léa", ""]))
    def claim(self, agent: str) -> None:
        if self.scene.takeover.control is not Control.CLOSED:
            self.apply(self.scene.do(v.Claimed(agent)))

    @rule()
    def passed(self) -> None:
        if self.scene.takeover.control is not Control.CLOSED:
            self.apply(self.scene.do(v.Passed()))

    @rule()
    def human(self) -> None:
        self.count += 1
        self.apply(self.scene.do(v.HumanSaid(f"m{self.count}", "Bonjour")))

    @rule(language=st.sampled_from(["nl", "de", "fr", ""]))
    def customer(self, language: str) -> None:
        self.count += 1
        self.apply(self.scene.do(v.CustomerSaid(f"i{self.count}", "Hallo", language)))

    @rule(ok=st.booleans(), place=st.integers(0, 5))
    def translated(self, ok: bool, place: int) -> None:
        if self.translations:
            ident = self.translations.pop(place % len(self.translations))
            self.apply(self.scene.do(v.TranslationDone(ident, "Goedendag", ok=ok)))

    @rule(whole=st.booleans(), started=st.booleans())
    def ended(self, whole: bool, started: bool) -> None:
        if self.current is not None:
            current, self.current = self.current, None
            if started and current.startswith(("returned", "abandoned")):
                stem = current.rsplit(".", 1)[0]
                self.cuts[stem] = self.cuts.get(stem, 0) + (not whole)
                self.disclosed = whole or self.cuts[stem] >= v.DISCLOSURES
            self.apply(self.scene.do(v.SayEnded(current, "", whole=whole, started=started)))

    @rule()
    def back(self) -> None:
        self.apply(self.scene.do(v.HandedBack()))

    @rule(seconds=st.sampled_from([0.5, 10.0, 30.0, 200.0]))
    def time(self, seconds: float) -> None:
        self.apply(self.scene.wait(seconds))

    @rule()
    def hang_up(self) -> None:
        if self.count > 12:
            self.apply(self.scene.do(v.Ended()))

    @invariant()
    def the_assistant_is_mute_exactly_while_it_has_no_control(self) -> None:
        control = self.scene.takeover.control
        if control is not Control.CLOSED:
            assert self.muted == (control is not Control.BOT)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40)


@given(st.lists(st.sampled_from(["Léa", "Tom"]), min_size=1, max_size=4))
def test_the_last_claim_counts(agents: list[str]) -> None:
    scene = Scene(dutch())
    for agent in agents:
        scene.do(v.Claimed(agent))
    assert scene.takeover.agent == agents[-1]
