"""The run-sheet: which products are shown in which order, what is said of them, and when.

Written by the host as TOML (or JSON from the console)::

    [show]
    id = "demo"
    title.fr = "La soirée lumière"
    language = "fr"                 # the language presented in
    languages = ["fr", "nl", "de", "en"]   # languages answered in, and of captions
    avatar = "lea"
    loop = true

    [[segment]]
    product = "oslo"
    duration_s = 90
    points.fr = ["Elle coûte {price}.", "Touchez le pied : elle s'allume."]

A point may use the fields of :class:`~voice_server.live.facts.LiveFacts` in braces; they are read
when it is spoken.  A segment without points gets them from the product's own texts.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from voice_server.live.backdrops import SCENES
from voice_server.live.policy import POLICIES

FIELDS = frozenset(
    {"name", "the", "The", "it", "It", "price", "was", "stock", "colours", "code", "flash_price"}
)
"""What a point may say in braces."""

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
MOST_SEGMENTS = 200
MOST_POINTS = 60


class RunSheetError(Exception):
    """A run-sheet is wrong; the message says what and where, for the host.

    ``problems`` has all that is wrong, each at its field.
    """

    def __init__(self, message: str, problems: tuple[Problem, ...] = ()) -> None:
        """Keep the problems for an editor that shows each at its field."""
        super().__init__(message)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a run-sheet."""

    place: str
    """The field, as "segment.2.duration_s"."""
    code: str
    """What is wrong, for a page that has words of its own: "missing", "greater_than_equal"."""
    words: str
    """The same in English."""
    limit: str = ""
    """What the value is held against: the least number, the field's name."""


@dataclass(frozen=True, slots=True)
class Flash:
    """A flash sale inside a segment. The shop must honour it: we only say and show it."""

    price: Decimal
    starts_s: float
    """Seconds after the segment's start."""
    lasts_s: float
    code: str = ""
    """Discount code to enter, "" when the price holds for all."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One entry of the run-sheet."""

    id: str
    product_id: str
    """"" for a segment without product (welcome, break)."""
    duration_s: float
    points: Mapping[str, tuple[str, ...]]
    """Language to sentences, each spoken in one go."""
    title: Mapping[str, str]
    flash: Flash | None = None


@dataclass(frozen=True, slots=True)
class RunSheet:
    """A whole show."""

    id: str
    title: Mapping[str, str]
    language: str
    languages: tuple[str, ...]
    avatar: str
    segments: tuple[Segment, ...]
    loop: bool = False
    answer_share: float = 0.5
    """Share of a segment that answers may take; what the host approves is not counted."""
    auto_answer: bool = True
    """Answer by itself; else only what the host approves."""
    answer_in_asker_language: bool = True
    chat: tuple[str, ...] = ()
    """Where the audience writes, besides our own page: "twitch:channel",
    "twitch-eventsub:broadcaster:user" (numeric ids), "youtube:live-chat-id"."""
    backdrop: str = "auto"
    """A scene of ``live/backdrops.py``, or "auto": by market and day."""
    market: str = ""
    """ISO 3166 code of the market the show is for; "" is the shop's own."""
    policy: str = "default"
    """A profile of ``live/policy.py``: what the platform allows."""
    remind_s: float = 600.0
    """How often it is said aloud that an AI presents (China's rules want it continuous)."""


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]
_Slug = Annotated[str, StringConstraints(pattern=f"^{SLUG.pattern}$")]
_Chat = Annotated[
    str,
    StringConstraints(
        pattern=r"^(twitch:[A-Za-z0-9_-]{1,50}|twitch-eventsub:\d+(:\d+)?|youtube:[\w.=%-]{1,200})$"
    ),
]
_Strict = ConfigDict(extra="forbid")


class _FlashForm(BaseModel):
    model_config = _Strict
    price: Decimal = Field(gt=0, max_digits=9, decimal_places=2)
    starts_s: float = Field(0.0, ge=0)
    lasts_s: float = Field(120.0, ge=10, le=3600)
    code: str = Field("", pattern=r"^[A-Z0-9-]{0,20}$")


class _SegmentForm(BaseModel):
    model_config = _Strict
    id: _Slug | None = None
    product: str = ""
    duration_s: float = Field(90.0, ge=10, le=7200)
    points: dict[str, tuple[_Text, ...]] = Field(default_factory=dict)
    title: dict[str, _Text] = Field(default_factory=dict)
    flash: _FlashForm | None = None


class _ShowForm(BaseModel):
    model_config = _Strict
    id: _Slug
    title: dict[str, _Text] = Field(default_factory=dict)
    language: str = Field(pattern=r"^[a-z]{2}$")
    languages: tuple[str, ...] = ()
    avatar: _Slug = "lea"
    loop: bool = False
    answer_share: float = Field(0.5, ge=0, le=0.9)
    auto_answer: bool = True
    answer_in_asker_language: bool = True
    remind_s: float = Field(600.0, ge=30, le=7200)
    chat: tuple[_Chat, ...] = Field((), max_length=8)
    backdrop: str = "auto"
    market: str = Field("", pattern=r"^([A-Z]{2})?$")
    policy: str = "default"


class _SheetForm(BaseModel):
    model_config = _Strict
    show: _ShowForm
    segment: tuple[_SegmentForm, ...] = Field(min_length=1, max_length=MOST_SEGMENTS)


def load(path: Path) -> RunSheet:
    """Read a run-sheet. Raises RunSheetError."""
    return parse(read(path))


def read(path: Path) -> dict[str, Any]:
    """Read a run-sheet's table, not yet checked. Raises RunSheetError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RunSheetError(f"{path.name} cannot be read: {error}") from None


def parse(table: Mapping[str, Any]) -> RunSheet:
    """Make a run-sheet of a table. Raises RunSheetError with all that is wrong."""
    try:
        form = _SheetForm.model_validate(table)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise _wrong([_problem(entry) for entry in found]) from None
    show = form.show
    problems = []
    if show.policy not in POLICIES:
        words = f"there is none of that name; {', '.join(POLICIES)}"
        problems.append(Problem("show.policy", "unknown_policy", words))
    for at, entry in enumerate(form.segment):
        problems += _script_problems(at, entry)
    if show.backdrop != "auto" and show.backdrop not in SCENES:
        raise RunSheetError(f"show.backdrop: there is none of that name; auto, {', '.join(SCENES)}")
    segments = tuple(_segment(at, entry) for at, entry in enumerate(form.segment))
    names = [segment.id for segment in segments]
    problems += [
        Problem(f"segment.{at}.id", "same_id", "two segments have the same id", name)
        for at, name in enumerate(names)
        if name in names[:at]
    ]
    if problems:
        raise _wrong(problems)
    return RunSheet(
        id=show.id,
        title=show.title,
        language=show.language,
        languages=tuple(dict.fromkeys((show.language, *show.languages))),
        avatar=show.avatar,
        segments=segments,
        loop=show.loop,
        answer_share=show.answer_share,
        auto_answer=show.auto_answer,
        answer_in_asker_language=show.answer_in_asker_language,
        remind_s=min(show.remind_s, POLICIES[show.policy].longest_remind_s),
        backdrop=show.backdrop,
        market=show.market,
        policy=show.policy,
        chat=show.chat,
    )


def _wrong(problems: Sequence[Problem]) -> RunSheetError:
    first = problems[0]
    return RunSheetError(f"{first.place}: {first.words}", tuple(problems))


def _problem(entry: ErrorDetails) -> Problem:
    """Return what pydantic found as ours."""
    limits = ("ge", "gt", "le", "lt", "max_length", "min_length", "max_digits", "decimal_places")
    context = entry.get("ctx", {})
    limit = next((str(context[name]) for name in limits if name in context), "")
    place = ".".join(str(part) for part in entry["loc"])
    return Problem(place, entry["type"], entry["msg"], limit)


def _script_problems(at: int, form: _SegmentForm) -> Iterator[Problem]:
    for language, points in form.points.items():
        where = f"segment.{at}.points.{language}"
        if len(points) > MOST_POINTS:
            yield Problem(where, "too_long", "too many points", str(MOST_POINTS))
        for place, point in enumerate(points):
            try:
                unknown = fields_of(point) - FIELDS
            except ValueError as error:
                yield Problem(f"{where}.{place}", "braces", str(error))
                continue
            if unknown:
                name = min(unknown)
                yield Problem(f"{where}.{place}", "field", f"unknown field {{{name}}}", name)


def _segment(at: int, form: _SegmentForm) -> Segment:
    ident = form.id or (f"{at + 1}-{form.product}" if SLUG.fullmatch(form.product) else f"{at + 1}")
    flash = form.flash
    return Segment(
        id=ident,
        product_id=form.product,
        duration_s=form.duration_s,
        points=form.points,
        title=form.title,
        flash=Flash(flash.price, flash.starts_s, flash.lasts_s, flash.code) if flash else None,
    )


def fields_of(template: str) -> frozenset[str]:
    """Return the fields a point uses. Raises ValueError if its braces are wrong.

    >>> sorted(fields_of("{The} coûte {price}."))
    ['The', 'price']
    """
    found = set()
    for _, name, spec, conversion in string.Formatter().parse(template):
        if name is not None:
            if spec or conversion or not name.isidentifier():
                raise ValueError(f"{{{name}}} is no plain field")
            found.add(name)
    return frozenset(found)
