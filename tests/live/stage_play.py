"""A show in virtual time: a voice that takes as long as its words, an answerer, a made-up shop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.live.crowd import TableUnderstanding, says
from voice_server.dialogue.answers.phrasing import Noun
from voice_server.live import show_events as ev
from voice_server.live.chat.envelope import ChatEvent
from voice_server.live.outcomes import Closed, Dropped, Joined, Social
from voice_server.live.questions import Status
from voice_server.live.run_sheet import RunSheet, parse
from voice_server.live.show import Director, State
from voice_server.live.triage import Triage

POINTS = {
    "oslo": ["Elle éclaire doucement.", "Elle coûte {price}.", "Avant, {was}.", "{stock}",
             "Le pied est en métal.", "Le câble mesure deux mètres."],
    "nemo": ["Une petite baleine.", "Elle coûte {price}.", "Elle se recharge en une heure."],
}  # fmt: skip


class PlayFacts:
    """Two lamps whose price and stock the test changes."""

    shop_name = "Marolle"

    def __init__(self) -> None:
        self.prices = {"oslo": Decimal("49.90"), "nemo": Decimal("24.90")}
        self.stock = {"oslo": "Elle est en stock.", "nemo": "Elle est en stock."}
        self.was: dict[str, str] = {}
        self.gone: set[str] = set()

    def known(self, product_id: str) -> bool:
        return product_id in self.prices and product_id not in self.gone

    def noun(self, product_id: str, language: str) -> Noun | None:
        return (
            Noun(f"lampe {product_id.title()}", "f", language) if self.known(product_id) else None
        )

    def fields(self, product_id: str, language: str) -> Mapping[str, str]:
        noun = self.noun(product_id, language)
        if noun is None:
            return {}
        fields = {key: noun.fields()[key] for key in ("name", "the", "The", "it", "It")}
        fields |= {"price": self.money(self.prices[product_id], language)}
        fields |= {"stock": self.stock[product_id]}
        return fields | ({"was": self.was[product_id]} if product_id in self.was else {})

    def money(self, amount: Decimal, language: str) -> str:
        return f"{amount} €"

    def points(self, product_id: str, language: str) -> Sequence[str]:
        return POINTS.get(product_id, [])


def sheet(*products: str, **show: Any) -> RunSheet:
    segments = show.pop("segments", None) or [
        {"product": product, "duration_s": 60, "id": product} for product in products or ("oslo",)
    ]
    table = {"id": "demo", "language": "fr", "languages": ["fr", "en", "nl", "de"], **show}
    return parse({"show": table, "segment": segments})


@dataclass
class Play:
    """Runs a director; every command is noted with its time."""

    run_sheet: RunSheet = field(default_factory=sheet)
    facts: PlayFacts = field(default_factory=PlayFacts)
    answers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Intent to sentences; an intent that is missing fails."""
    answer_s: float = 0.8
    mute_engine: bool = False
    now: float = 0.0

    def __post_init__(self) -> None:
        self.triage = Triage(TableUnderstanding())
        self.director = Director(self.run_sheet, self.facts, self.triage)
        self.log: list[tuple[float, ev.Command]] = []
        self.inputs: list[tuple[float, ev.Input]] = []
        self.events: list[tuple[float, ev.Input]] = []
        self.speaking: str = ""

    # -- driving

    def do(self, event: ev.Input) -> list[ev.Command]:
        self.inputs.append((self.now, event))
        if isinstance(event, ev.Spoken | ev.SpeechFailed) and event.line_id == self.speaking:
            self.speaking = ""
        commands = self.director.receive(event, self.now)
        self._carry_out(commands)
        return commands

    def begin(self) -> Play:
        self.do(ev.Begin())
        return self

    def chat(self, *events: ChatEvent) -> None:
        for outcome in self.triage.receive(events, self.now, on_screen=self.director.product):
            if isinstance(outcome, Social):
                self.do(ev.Crowd((outcome,)))
            elif isinstance(outcome, Joined):
                self.do(ev.Nudge())
            elif isinstance(outcome, Closed) and outcome.cluster.status is Status.WITHDRAWN:
                self.do(ev.Withdrawn(outcome.cluster.id))
            else:
                assert isinstance(outcome, Dropped | Closed)

    def ask(self, text: str, author: str = "Ana", **more: Any) -> str:
        event = says(text, author, **more)
        self.chat(event)
        for _, cluster in self.triage.ranked(self.now, ""):
            if any(ask.message_id == event.id for ask in cluster.asks):
                return cluster.id
        taken = [c for c in self.triage._open.values() if c.asks[-1].message_id == event.id]
        return taken[0].id if taken else ""

    def run(self, seconds: float) -> Play:
        """Let time pass, step by step from one due moment to the next."""
        until = self.now + seconds
        for _ in range(10_000):
            due = [at for at, _ in self.events]
            deadline = self.director.next_deadline()
            if deadline is not None:
                due.append(deadline)
            at = min(due, default=until + 1)
            if at > until:
                break
            self.now = max(self.now, at)
            ready = [event for event in self.events if event[0] <= self.now]
            self.events = [event for event in self.events if event[0] > self.now]
            for _, event in ready:
                self.do(event)
            self._carry_out(self.director.tick(self.now))
        else:
            raise AssertionError("the show spins")
        self.now = until
        return self

    def until(self, *kinds: ev.LineKind, least: float = 300.0) -> ev.Line:
        """Run until a line of one of these kinds begins."""
        seen = len(self.spoken)
        end = self.now + least
        while self.now < end:
            for _, line in self.spoken[seen:]:
                if line.kind in kinds:
                    return line
            self.run(0.1)
        raise AssertionError(f"no {kinds}")

    def _carry_out(self, commands: Sequence[ev.Command]) -> None:
        for command in commands:
            self.log.append((self.now, command))
            if isinstance(command, ev.Speak):
                assert not self.speaking, "two lines at once"
                self.speaking = command.line.id
                if not self.mute_engine:
                    seconds = max(1.0, len(command.line.text.split()) / 2.6)
                    self.events.append((self.now + seconds, ev.Spoken(command.line.id)))
            elif isinstance(command, ev.CancelSpeech):
                assert command.line_id == self.speaking
                self.speaking = ""
                self.events = [e for e in self.events if e[1] != ev.Spoken(command.line_id)]
            elif isinstance(command, ev.PrepareAnswer):
                cluster = self.triage.get(command.cluster_id)
                assert cluster is not None
                sentences = self.answers.get(cluster.understood.intent)
                result: ev.Input = ev.AnswerFailed(cluster.id, "unknown")
                if sentences is not None:
                    result = ev.AnswerReady(
                        cluster.id,
                        sentences,
                        command.language,
                        cluster.understood.product_id,
                        frozenset({cluster.understood.intent.replace("availability", "stock")}),
                    )
                self.events.append((self.now + self.answer_s, result))

    # -- looking

    @property
    def spoken(self) -> list[tuple[float, ev.Line]]:
        return [(at, c.line) for at, c in self.log if isinstance(c, ev.Speak)]

    @property
    def texts(self) -> list[str]:
        return [line.text for _, line in self.spoken]

    def of(self, kind: ev.LineKind) -> list[str]:
        return [line.text for _, line in self.spoken if line.kind is kind]

    def cards(self) -> list[str]:
        return [c.product_id for _, c in self.log if isinstance(c, ev.ShowCard)]

    def is_(self, state: State) -> bool:
        return self.director.state is state

    @property
    def state(self) -> State:
        return self.director.state
