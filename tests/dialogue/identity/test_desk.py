"""The identity desk: what proves what, and what nobody learns."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_server.dialogue.identity.desk import IdentityDesk, IdentityState, normal_contact
from voice_server.dialogue.identity.events import (
    CallerChanged,
    CodeNotSent,
    CodeOffered,
    CodeWanted,
    Command,
    ContactLookedUp,
    Event,
    LookUpContact,
    LookUpOrder,
    OrderLookedUp,
    OrderProof,
    Outcome,
    ProofsOffered,
    SendCode,
    Tell,
)
from voice_server.dialogue.identity.ledger import DEFAULTS, Limits, MemoryLedger
from voice_server.dialogue.identity.levels import (
    FIELDS,
    Level,
    LevelTable,
    mask_email,
    mask_phone,
)

SECRET = b"0123456789abcdef"
ORDERS = {
    "10482": OrderProof("BE-10482", "1000", "an@example.be", "+32 470 12 34 56"),
    "10497": OrderProof("BE-10497", "9000", "an@example.be"),
    "10476": OrderProof("BE-10476", "1011 AB", "", "0031612345678"),
}
CONTACTS = {"an@example.be", "32470123456", "31612345678"}


class World:
    """A platform, a mailbox and a clock around one desk."""

    def __init__(self, ledger: MemoryLedger | None = None, **more: object) -> None:
        self.now = 1000.0
        self.ledger = MemoryLedger(SECRET) if ledger is None else ledger
        codes = (f"{n:06}" for n in itertools.count(111111, 7))
        self.desk = IdentityDesk(
            self.ledger,
            secret=SECRET,
            new_code=lambda: next(codes),
            **more,  # type: ignore[arg-type]
        )
        self.sent: list[SendCode] = []
        self.trace: list[str] = []
        self.down = False

    def do(self, event: Event) -> Outcome:
        commands = self.desk.receive(event, self.now)
        outcome: Outcome | None = None
        while commands:
            command: Command = commands.pop(0)
            self.trace.append(type(command).__name__)
            match command:
                case LookUpOrder():
                    found = ORDERS.get(command.number.upper().replace("BE", "").replace("-", ""))
                    answer: Event = OrderLookedUp(command.ticket, found, self.down)
                    commands += self.desk.receive(answer, self.now)
                case LookUpContact():
                    known = command.contact in CONTACTS
                    answer = ContactLookedUp(command.ticket, known, self.down)
                    commands += self.desk.receive(answer, self.now)
                case SendCode():
                    self.sent.append(command)
                case Tell():
                    assert outcome is None, "one thing is told at a time"
                    outcome = command.outcome
        assert outcome is not None
        return outcome

    def prove(self, number: str = "", postcode: str = "") -> Outcome:
        return self.do(ProofsOffered(number, postcode))


# -- level 1 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "postcode"),
    [("BE-10482", "1000"), ("be 10482", "1000"), ("10482", "1000"), ("BE-10476", "1011ab")],
)
def test_number_and_postcode_prove_an_order(number: str, postcode: str) -> None:
    world = World()
    number = number if number.upper().startswith("BE") else f"BE-{number}"
    assert world.prove(number.replace(" ", "-"), postcode) is Outcome.PROVED
    assert world.desk.level is Level.ORDER
    assert world.desk.allows("order.status", world.desk.state.order)


def test_proofs_may_come_one_by_one_in_any_order() -> None:
    world = World()
    assert world.prove() is Outcome.NEED_BOTH
    assert world.prove("BE-10482") is Outcome.NEED_POSTCODE
    assert world.prove(postcode="1000") is Outcome.PROVED
    other = World()
    assert other.prove(postcode="9000") is Outcome.NEED_NUMBER
    assert other.prove("BE-10497") is Outcome.PROVED


def test_one_proved_order_opens_no_other() -> None:
    world = World()
    world.prove("BE-10482", "1000")
    assert not world.desk.allows("order.status", "BE-10497")
    assert world.desk.missing("order.status", "BE-10497") is Level.ORDER
    assert not world.desk.allows("order.address", "BE-10482")
    assert world.desk.missing("order.address", "BE-10482") is Level.CODE
    assert not world.desk.allows("customer.orders")
    assert world.desk.allows("price")
    assert world.desk.missing("price") is None


def test_unknown_and_wrong_look_the_same() -> None:
    """Same words, same commands, same counts: nothing tells which of the two was wrong."""
    wrong, unknown = World(), World()
    for _ in range(6):
        assert wrong.prove("BE-10482", "9999") == unknown.prove("BE-99999", "9999")
        assert wrong.trace == unknown.trace
        assert wrong.desk.state == unknown.desk.state
        assert len(wrong.ledger) == len(unknown.ledger)
    assert wrong.trace[-1] == "Tell"


def test_a_session_is_locked_after_three_failures_even_for_the_right_proof() -> None:
    world = World()
    told = [world.prove("BE-10482", code) for code in ("1", "2", "3", "1000")]
    assert told == [Outcome.NOT_PROVED, Outcome.NOT_PROVED, Outcome.LOCKED, Outcome.LOCKED]
    assert world.desk.level is Level.NONE


def test_an_order_is_locked_across_sessions_and_opens_again() -> None:
    ledger = MemoryLedger(SECRET)
    for guess in range(5):
        World(ledger).prove("BE-10482", f"{guess}")
    late = World(ledger)
    assert late.prove("BE-10482", "1000") is Outcome.LOCKED
    assert World(ledger).prove("BE-10497", "9000") is Outcome.PROVED, "other orders are not"
    late.now += DEFAULTS.lock_s + 1
    assert late.prove("BE-10482", "1000") is Outcome.PROVED


def test_a_caller_is_locked_across_orders_and_sessions() -> None:
    ledger = MemoryLedger(SECRET)
    for guess in range(5):
        World(ledger, caller="+3212").prove(f"BE-9999{guess}", "1000")
    assert World(ledger, caller="+3212").prove("BE-10482", "1000") is Outcome.LOCKED
    assert World(ledger, caller="+3213").prove("BE-10482", "1000") is Outcome.PROVED


def test_a_platform_that_is_down_counts_nothing() -> None:
    world = World()
    world.down = True
    for _ in range(9):
        assert world.prove("BE-10482", "1000") is Outcome.UNAVAILABLE
    world.down = False
    assert world.prove("BE-10482", "1000") is Outcome.PROVED


def test_an_order_without_postcode_is_never_proved() -> None:
    world = World()
    commands = world.desk.receive(ProofsOffered("X1", "-"), 0.0)
    assert isinstance(commands[0], LookUpOrder)
    answer = OrderLookedUp(commands[0].ticket, OrderProof("X1", ""))
    assert world.desk.receive(answer, 0.0) == [Tell(Outcome.NOT_PROVED)]


def test_stale_answers_change_nothing() -> None:
    world = World()
    first = world.desk.receive(ProofsOffered("BE-10482", "1000"), 0.0)[0]
    world.desk.receive(ProofsOffered("BE-10497", "1000"), 0.0)
    assert isinstance(first, LookUpOrder)
    assert world.desk.receive(OrderLookedUp(first.ticket, ORDERS["10482"]), 0.0) == []
    assert world.desk.receive(ContactLookedUp(99, known=True), 0.0) == []
    assert world.desk.level is Level.NONE


# -- level 2 ----------------------------------------------------------------------------------


def proved() -> World:
    world = World()
    world.prove("BE-10482", "1000")
    return world


def test_a_code_to_the_contact_on_file() -> None:
    world = proved()
    assert world.do(CodeWanted(language="nl")) is Outcome.CODE_SENT
    (sent,) = world.sent
    assert (sent.channel, sent.contact, sent.language) == ("email", "an@example.be", "nl")
    assert world.do(CodeOffered(f"{sent.code[:3]} {sent.code[3:]}.")) is Outcome.CODE_PROVED
    assert world.desk.level is Level.CODE
    assert world.desk.allows("order.address", "BE-10482")
    assert world.desk.allows("customer.orders")
    assert world.do(CodeOffered(sent.code)) is Outcome.CODE_NOT_ASKED, "a code counts once"


def test_a_code_by_text_message() -> None:
    world = World()
    world.prove("BE-10476", "1011 AB")
    assert world.do(CodeWanted()) is Outcome.NO_CONTACT
    assert world.do(CodeWanted("sms")) is Outcome.CODE_SENT
    assert world.sent[0].contact == "31612345678"


def test_a_code_needs_an_order_or_a_contact() -> None:
    world = World()
    assert world.do(CodeWanted()) is Outcome.NEED_BOTH
    assert world.do(CodeOffered("123456")) is Outcome.CODE_NOT_ASKED


def test_a_contact_that_nobody_has_looks_like_one_that_somebody_has() -> None:
    known, unknown = World(), World()
    for world, contact in ((known, "An@Example.be "), (unknown, "no@example.be")):
        assert world.do(CodeWanted(contact=contact)) is Outcome.CODE_SENT
        assert world.do(CodeWanted(contact=contact)) is Outcome.RESEND_LATER
        assert world.do(CodeOffered("000000")) is Outcome.CODE_WRONG
        assert world.do(CodeOffered("111111" if world is unknown else "1")) is Outcome.CODE_WRONG
        assert world.do(CodeOffered("2")) is Outcome.LOCKED
    assert len(known.sent) == 1
    assert unknown.sent == []


def test_a_proved_contact_opens_its_own_orders_only() -> None:
    world = World()
    world.do(CodeWanted(contact="an@example.be"))
    assert world.do(CodeOffered(world.sent[0].code)) is Outcome.CODE_PROVED
    assert not world.desk.allows("order.status", "BE-10497")
    assert world.desk.admits(ORDERS["10497"])
    assert world.desk.allows("order.address", "BE-10497")
    assert not world.desk.admits(ORDERS["10476"])
    assert not World().desk.admits(ORDERS["10497"]), "nothing was proved"


def test_a_code_expires_and_wears_out() -> None:
    world = proved()
    world.do(CodeWanted())
    world.now += DEFAULTS.code_ttl_s
    assert world.do(CodeOffered(world.sent[0].code)) is Outcome.CODE_WRONG
    world = World(limits=replace(DEFAULTS, session_failures=99))
    world.prove("BE-10482", "1000")
    world.do(CodeWanted())
    for _ in range(DEFAULTS.code_attempts):
        assert world.do(CodeOffered("000000")) is Outcome.CODE_WRONG
    assert world.do(CodeOffered(world.sent[0].code)) is Outcome.CODE_WRONG


def test_a_new_code_replaces_the_old_one_and_resends_are_limited() -> None:
    world = proved()
    for _ in range(DEFAULTS.codes_per_window):
        assert world.do(CodeWanted()) is Outcome.CODE_SENT
        assert world.do(CodeWanted()) is Outcome.RESEND_LATER
        world.now += DEFAULTS.resend_after_s
    assert world.do(CodeWanted()) is Outcome.RESEND_LATER
    assert len({sent.code for sent in world.sent}) == 3
    assert world.do(CodeOffered(world.sent[0].code)) is Outcome.CODE_WRONG
    assert world.do(CodeOffered(world.sent[-1].code)) is Outcome.CODE_PROVED
    world.now += DEFAULTS.window_s
    assert world.do(CodeWanted()) is Outcome.CODE_SENT


def test_a_code_that_was_not_sent_counts_for_nothing() -> None:
    world = proved()
    world.do(CodeWanted())
    sent = world.sent[0]
    assert world.desk.receive(CodeNotSent(sent.ticket + 5), world.now) == []
    assert world.desk.receive(CodeNotSent(sent.ticket), world.now) == []
    assert world.do(CodeWanted()) is Outcome.CODE_SENT, "it may be asked for again at once"
    assert world.do(CodeOffered(sent.code)) is Outcome.CODE_WRONG
    assert world.desk.receive(CodeNotSent(1), world.now) == []


def test_contacts_are_locked_across_sessions() -> None:
    ledger = MemoryLedger(SECRET)
    world = World(ledger)
    world.prove("BE-10482", "1000")
    world.do(CodeWanted())
    for _ in range(5):
        ledger.failed("contact:an@example.be", world.now)
    assert world.do(CodeOffered(world.sent[0].code)) is Outcome.LOCKED
    assert World(ledger).do(CodeWanted(contact="an@example.be")) is Outcome.LOCKED
    world.now += DEFAULTS.resend_after_s
    assert world.do(CodeWanted()) is Outcome.LOCKED


def test_a_platform_that_is_down_sends_nothing() -> None:
    world = proved()
    world.down = True
    assert world.do(CodeWanted()) is Outcome.UNAVAILABLE
    assert world.do(CodeWanted(contact="an@example.be")) is Outcome.UNAVAILABLE
    assert world.sent == []


def test_another_caller_begins_at_nothing_but_keeps_the_failures() -> None:
    world = proved()
    world.prove("BE-10497", "1")
    assert world.desk.receive(CallerChanged(), 0.0) == []
    assert world.desk.state == IdentityState(failures=1)
    assert not world.desk.allows("order.status", "BE-10482")


def test_a_resumed_session_keeps_what_it_proved() -> None:
    world = proved()
    again = World(state=world.desk.state)
    assert again.desk.allows("order.status", "BE-10482")
    assert again.do(CodeWanted()) is Outcome.CODE_SENT


def test_nothing_secret_shows() -> None:
    world = proved()
    world.do(CodeWanted())
    (sent,) = world.sent
    shown = repr((world.desk.__dict__, world.ledger.__dict__, world.sent, ORDERS["10482"]))
    for secret in (sent.code, "1011", "+32 470", "an@example.be'"):
        assert secret not in shown.replace("contact='an@example.be'", "")
    assert repr(CodeOffered("123456")) == "CodeOffered()"
    assert repr(ProofsOffered("BE-1", "1000")) == "ProofsOffered()"


# -- attackers --------------------------------------------------------------------------------


def test_brute_force_on_postcodes_learns_nothing_and_is_locked() -> None:
    """Four thousand guesses at a real and an invented number, a new session each third one."""
    answers: dict[str, list[Outcome]] = {}
    for number in ("BE-10482", "BE-77777"):
        ledger = MemoryLedger(SECRET)
        world = World(ledger)
        told = []
        for guess in range(4000):
            if guess % 3 == 0:
                now = world.now
                world = World(ledger)
                world.now = now
            world.now += 2.0
            postcode = 1001 + guess  # the right one, 1000, is what the attacker still lacks
            told.append(world.prove(number, f"{postcode}"))
        answers[number] = told
    assert answers["BE-10482"] == answers["BE-77777"], "a number that exists answers differently"
    counted = sum(outcome is Outcome.NOT_PROVED for outcome in answers["BE-10482"])
    assert counted < 40, "guesses that were really compared"


def test_brute_force_over_many_numbers_by_one_caller_is_locked() -> None:
    ledger = MemoryLedger(SECRET)
    opened = compared = 0
    for number in range(3000):
        world = World(ledger, caller="10.0.0.7")
        world.now += number
        outcome = world.prove(f"BE-{10000 + number}", "1000")
        opened += outcome is Outcome.PROVED
        compared += "LookUpOrder" in world.trace
    assert opened == 0
    assert compared < 20


def test_brute_force_on_codes_is_locked() -> None:
    rng = random.Random(4)  # noqa: S311
    ledger = MemoryLedger(SECRET)
    world = World(ledger)
    broken = 0
    for attempt in range(5000):
        if attempt % 3 == 0:
            now = world.now
            world = World(ledger)
            world.now = now + 60
            world.do(CodeWanted(contact="an@example.be"))
        broken += world.do(CodeOffered(f"{rng.randrange(10**6):06}")) is Outcome.CODE_PROVED
    assert broken == 0
    assert ledger.locked("contact:an@example.be", world.now)


EVENTS = st.one_of(
    st.builds(
        ProofsOffered,
        st.sampled_from(["", "BE-10482", "BE-10497", "BE-00000", "nonsense"]),
        st.sampled_from(["", "9000", "1", "10 00 0", "1011 AB"]),
    ),
    st.builds(CodeWanted, st.sampled_from(["email", "sms"]), st.sampled_from(["", "x@y.z"])),
    st.builds(CodeOffered, st.sampled_from(["", "000000", "abc"])),
    st.builds(CallerChanged),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.floats(0, 2000)), max_size=25))
def test_nothing_opens_without_its_proof(events: list[tuple[Event, float]]) -> None:
    """Whatever happens: the first order needs its own postcode, level 2 needs a code."""
    world = World()
    for event, wait in events:
        world.now += wait
        if isinstance(event, CallerChanged):
            world.desk.receive(event, world.now)
        else:
            world.do(event)
        assert not world.desk.allows("order.status", "BE-10482")
        assert not world.desk.allows("order.address", "BE-10497")
        assert world.desk.level < Level.CODE


# -- the table, the ledger, small things ------------------------------------------------------


def test_packs_may_ask_for_more_but_not_for_less() -> None:
    table = LevelTable({"write.cancel_order": Level.CODE, "order.address": Level.NONE})
    assert table.needed("write.cancel_order") is Level.CODE
    assert table.needed("order.address") is Level.CODE
    assert table.needed("something.new") is Level.CODE


def test_personal_fields_need_a_proof() -> None:
    for name, level in FIELDS.items():
        public = name in {"product", "price", "stock", "policy", "hours", "write.callback"}
        assert (level is Level.NONE) == public


def test_contacts_are_masked() -> None:
    assert mask_email("jan.peeters@telenet.be") == "j…@t…"
    assert mask_email("nothing") == "…"
    assert mask_phone("+32 470 12 34 56") == "… 56"
    assert mask_phone("12") == "…"


def test_contacts_are_compared_plainly() -> None:
    assert normal_contact(" An@X.be", "email") == "an@x.be"
    assert normal_contact("0032 470 12", "sms") == normal_contact("+32 470/12", "sms")


def test_the_ledger_is_bounded_and_never_forgets_a_lock() -> None:
    ledger = MemoryLedger(SECRET, Limits(capacity=10))
    for _ in range(5):
        ledger.failed("victim", 0.0)
    for n in range(500):
        ledger.failed(f"noise {n}", 1.0)
    assert len(ledger) == 10
    assert ledger.locked("victim", 2.0)


def test_a_ledger_full_of_locks_refuses_everybody() -> None:
    ledger = MemoryLedger(SECRET, Limits(capacity=3))
    for key in "abc":
        for _ in range(5):
            ledger.failed(key, 0.0)
    assert ledger.locked("d", 1.0)
    assert not ledger.may_send("d", 1.0)
    ledger.failed("d", 1.0)
    assert len(ledger) == 3
    assert not ledger.locked("d", DEFAULTS.lock_s + 1)
    assert ledger.may_send("d", DEFAULTS.lock_s + 1)


def test_locks_grow_and_are_forgotten() -> None:
    ledger = MemoryLedger(SECRET)
    now, lengths = 0.0, []
    for _ in range(9):
        for _ in range(DEFAULTS.key_failures):
            ledger.failed("k", now)
        start = now
        while ledger.locked("k", now):
            now += 450
        lengths.append(now - start)
    assert lengths[:3] == [900, 1800, 3600]
    assert lengths[-1] == DEFAULTS.longest_lock_s
    now += DEFAULTS.memory_s + 1
    for _ in range(DEFAULTS.key_failures):
        ledger.failed("k", now)
    assert not ledger.locked("k", now + DEFAULTS.lock_s)


def test_old_failures_do_not_count_and_success_forgives() -> None:
    ledger = MemoryLedger(SECRET)
    for n in range(20):
        ledger.failed("k", n * DEFAULTS.window_s / 3)
    assert not ledger.locked("k", 20 * DEFAULTS.window_s / 3)
    for _ in range(4):
        ledger.failed("j", 0.0)
    ledger.proved("j", 0.0)
    ledger.proved("never seen", 0.0)
    ledger.failed("j", 0.0)
    assert not ledger.locked("j", 0.0)
