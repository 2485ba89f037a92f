"""What goes into the director of a show and what comes out of it. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from voice_server.live.outcomes import Social
from voice_server.live.run_sheet import Flash, RunSheet


class LineKind(StrEnum):
    """Why a line is spoken."""

    OPENING = "opening"
    TALK = "talk"
    BRIDGE = "bridge"
    ANSWER = "answer"
    SOCIAL = "social"
    NOTICE = "notice"
    """A change of price or stock, a flash sale, the reminder that an AI speaks."""
    HOST = "host"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence for the avatar."""

    id: str
    text: str
    language: str
    kind: LineKind
    mood: str = "neutral"
    gesture: str = ""
    look: str = "camera"
    """camera, chat or product."""
    product_id: str = ""
    cluster_id: str = ""
    """The question it answers: a removal that closes the cluster silences it."""
    uses: frozenset[str] = frozenset()
    """Live facts it states ("price", "stock"): when they change it is cut short."""
    about: frozenset[str] = frozenset()
    """Whose facts those are, besides ``product_id``'s."""
    point: int = -1
    """Which point of the segment's script it is, -1 for none."""
    captions: tuple[tuple[str, str], ...] = ()
    """The sentence in the show's other languages, as (language, text), where facts give it."""
    by_host: bool = False
    """The host's words: what viewers are told apart, and the report counts."""


# --------------------------------------------------------------------------- inputs


@dataclass(frozen=True, slots=True)
class Begin:
    """Go on air."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line was heard to its end."""

    line_id: str


@dataclass(frozen=True, slots=True)
class SpeechFailed:
    """A line could not be made to sound; the show goes on with the next."""

    line_id: str


@dataclass(frozen=True, slots=True)
class Nudge:
    """The open questions changed."""


@dataclass(frozen=True, slots=True)
class AnswerReady:
    """The sentences that answer a question, grounded in facts."""

    cluster_id: str
    sentences: tuple[str, ...]
    language: str
    product_id: str = ""
    """Whose card belongs to the answer."""
    uses: frozenset[str] = frozenset()
    """Live facts it states ("price", "stock"): when they change it is found anew."""
    captions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The same sentences in other languages, as (language, sentences)."""
    by_host: bool = False
    """The host worded it, or changed it."""
    about: frozenset[str] = frozenset()
    """Products whose facts it states, besides ``product_id``."""


@dataclass(frozen=True, slots=True)
class AnswerFailed:
    """Nobody knows: the question goes to the host's list."""

    cluster_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A question was taken back (deleted, its author banned)."""

    cluster_id: str


@dataclass(frozen=True, slots=True)
class Crowd:
    """People to greet or to thank."""

    people: tuple[Social, ...]


class Change(StrEnum):
    """What changed about a product."""

    PRICE = "price"
    SOLD_OUT = "sold_out"
    LOW = "low"
    BACK = "back"
    GONE = "gone"
    """It is no longer in the catalogue."""
    DETAIL = "detail"
    """Something that nobody need be told of (the price of another size, four left instead of five):
    what states it is cut all the same."""


@dataclass(frozen=True, slots=True)
class FactChanged:
    """The shop's facts about a product changed while the show runs."""

    product_id: str
    change: Change


@dataclass(frozen=True, slots=True)
class Say:
    """The host has the avatar say a sentence, at the next sentence end."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Approve:
    """The host wants this question answered next."""

    cluster_id: str


@dataclass(frozen=True, slots=True)
class Skip:
    """The host does not want this question answered, or its answer cut short."""

    cluster_id: str


@dataclass(frozen=True, slots=True)
class Mute:
    """Silence at once; the show waits."""


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The host speaks: the avatar is silent (or moves its lips to the host's voice)."""


@dataclass(frozen=True, slots=True)
class Resume:
    """End of Mute or TakeOver."""


@dataclass(frozen=True, slots=True)
class SheetChanged:
    """The host edited the run-sheet: it holds for segments that have not begun."""

    sheet: RunSheet


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """The host worded the answer to a question: it is said next, whatever the budget."""

    answer: AnswerReady


@dataclass(frozen=True, slots=True)
class Jump:
    """Go to a segment, at once."""

    segment_id: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Say goodbye and end; a second one ends at once."""


Input = (
    Begin | Spoken | SpeechFailed | Nudge | AnswerReady | AnswerFailed | Withdrawn | Crowd
    | FactChanged | Say | Approve | Skip | Mute | TakeOver | Resume | Jump | Stop
    | SheetChanged | HostAnswer
)  # fmt: skip


# --------------------------------------------------------------------------- commands


@dataclass(frozen=True, slots=True)
class Speak:
    """Say a line; report Spoken or SpeechFailed."""

    line: Line


@dataclass(frozen=True, slots=True)
class Prepare:
    """This will probably be said next: synthesise it."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class CancelSpeech:
    """Silence at once; nothing is reported for the line any more."""

    line_id: str


@dataclass(frozen=True, slots=True)
class PrepareAnswer:
    """Find the answer; report AnswerReady or AnswerFailed."""

    cluster_id: str
    text: str
    language: str
    on_screen: str


@dataclass(frozen=True, slots=True)
class ShowCard:
    """Show a product; "" hides the card."""

    product_id: str
    flash: Flash | None = None
    flash_ends_at: float | None = None


@dataclass(frozen=True, slots=True)
class SegmentStarted:
    """For the lower third, the console and the log."""

    segment_id: str
    round: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The show is over."""


Command = (
    Speak | Prepare | CancelSpeech | PrepareAnswer | ShowCard | SegmentStarted | Finished
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AnswerDraft:
    """An answer that waits for its turn, and how far it is."""

    ready: AnswerReady
    left: tuple[str, ...]
    approved: bool
    announced: bool = False
    names: tuple[str, ...] = ()
    askers: int = 1
