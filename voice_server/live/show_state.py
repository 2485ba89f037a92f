"""What the director remembers, and its constants. No behaviour of its own."""

from __future__ import annotations

import itertools
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from voice_server.live.facts import Facts
from voice_server.live.outcomes import Social
from voice_server.live.run_sheet import RunSheet, Segment
from voice_server.live.show_events import AnswerDraft, AnswerReady, Command, Line, Say
from voice_server.live.triage import Triage

ANSWER_S = 12.0
"""An answer that takes longer to find goes to the host: the chat has forgotten the question."""
SPEECH_S = 45.0
"""A line that has not ended after so long was lost by the engine: the show goes on."""
MOST_SENTENCES = 4
"""Sentences of one answer; who wants more asks on."""
GREET_EVERY_S = 25.0
"""Greetings and thanks are said in batches, so often at most."""
MOST_PEOPLE = 40
"""People waiting to be greeted; beyond, they are greeted as a crowd."""
NAMED = 3
"""Names said in one greeting."""
REPEAT_S = 420.0
"""A sentence of the script is not said again within seven minutes."""
REMEMBERED = 500
MOST_FAILURES = 3
"""Failed lines in a row after which the show waits IDLE_S instead of burning its script."""
BRIDGE_EVERY_S = 30.0
"""A bridge back to the script is said so often at most: after every answer it would be a tic."""
INVITE_EVERY = 5
"""While a segment waits for its flash sale, the audience is invited in every fifth silence."""
IDLE_S = 4.0
"""Silence after the script of a segment is used up, before the audience is invited to ask."""


class State(Enum):
    """What is going on."""

    IDLE = "idle"
    """Not on air yet."""
    ON_AIR = "on_air"
    """Presenting or answering; a line is being spoken."""
    LULL = "lull"
    """On air, and nothing to say just now."""
    MUTED = "muted"
    HOST = "host"
    """The host speaks."""
    CLOSING = "closing"
    ENDED = "ended"


class Notice(NamedTuple):
    """Something to be told."""

    key: str
    """Of its phrase."""
    product_id: str = ""
    """"" for the segment's."""


@dataclass(slots=True)
class ShowState:
    """Everything the handlers share."""

    sheet: RunSheet
    facts: Facts
    triage: Triage
    state: State = State.IDLE
    out: list[Command] = field(default_factory=list)
    timers: dict[str, float] = field(default_factory=dict)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # where we are in the run-sheet
    at: int = -1
    """Place of the running segment in the run-sheet; one before the next where it was removed."""
    running: Segment | None = None
    """The segment as it was when it began: an edited run-sheet changes the next ones."""
    round: int = 0
    point: int = 0
    """The next talking point of the segment."""
    points: tuple[str, ...] = ()
    began: float = 0.0
    flash_on: bool = False

    # what is spoken
    line: Line | None = None
    line_began: float = 0.0
    queue: deque[Line] = field(default_factory=deque)
    """Lines of one thought (opening, notice, closing): said before anything else."""

    # what waits
    answer: AnswerDraft | None = None
    asked: str = ""
    """Cluster whose answer is being prepared."""
    asked_approved: bool = False
    says: deque[Say] = field(default_factory=deque)
    host_answers: deque[AnswerReady] = field(default_factory=deque)
    """Answers in the host's words that wait for one that is being said."""
    crowd: deque[Social] = field(default_factory=deque)
    crowded_out: int = 0
    due: deque[Notice] = field(default_factory=deque)
    """Notices that wait for a sentence end; worded when they are spoken."""
    carded: str = ""
    """The product on the card: the segment's, or an answer's."""
    leave: bool = False
    """The segment's product is gone: on to the next."""
    invited: bool = False
    """The audience was asked for questions in this segment."""
    lulls: int = 0
    """Silences since the script of this segment was used up."""
    paused_at: float = 0.0
    failures: int = 0
    """Lines in a row that could not be made to sound."""
    must_talk: bool = False
    """An answer was given: the script has a sentence before the next one."""
    away: bool = False
    """The script was left: a bridge leads back."""
    bridged_at: float = float("-inf")
    answers_s: float = 0.0
    """Spent on answers in this segment."""

    # anti-repetition
    said: OrderedDict[str, float] = field(default_factory=OrderedDict)
    turns: dict[str, int] = field(default_factory=dict)

    @property
    def segment(self) -> Segment | None:
        """The segment that runs."""
        return self.running

    @property
    def product(self) -> str:
        """The product of the segment, "" for none."""
        return self.segment.product_id if self.segment else ""
