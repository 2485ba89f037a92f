"""Why an answer was given: the record of every answer, and the same in plain words.

Pure.  A record holds identifiers, never what was said: no name, no number of the customer's, no
sentence.  What a caller hears when asking "why?" is made from the record and from nothing else.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib import resources
from typing import Any

import yaml

LANGUAGES = ("fr", "nl", "de", "en")

LONGEST_QUESTION = 12
"""Words: "why do you say that?" is short; a long sentence with "why" in it asks something else."""

MOST_SOURCES = 3
"""Named aloud; more cannot be followed by ear."""


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """A sentence that was not spoken as it came."""

    reason: str
    """claim, name, promise, denial, language, empty or repeated; or a locale guard's topic."""
    action: str
    """replaced or dropped."""


@dataclass(frozen=True, slots=True)
class Decision:
    """How one answer came about."""

    reply_id: str
    session_id: str
    shop_id: str = ""
    source: str = ""
    """Who answered: greeting, facts, faq, flow, guard, llm, fallback, tool, why."""
    intent: str = ""
    confidence: float = 0.0
    """0 to 1: of the facts' answer; 0 where they had none."""
    language: str = ""
    language_reason: str = ""
    """asked (in so many words), heard (it changed by what was heard), kept, or default."""
    inputs: tuple[str, ...] = ()
    """Kinds of what was looked at: question, memory, instructions, tool_result, order."""
    facts: tuple[str, ...] = ()
    """Source ids of what the answer rests on."""
    rules: tuple[str, ...] = ()
    """What decided, such as "facts:sure", "leads:auto", "flow:return_items", "policy:returns"."""
    model: str = ""
    """The language model that was asked; empty if none was."""
    prompt: str = ""
    """The version of its prompt."""
    gates: tuple[GateOutcome, ...] = ()
    failure: str = ""
    """Why the model's words were not used: late, refused, ungrounded, unavailable; or empty."""
    personalised: bool = False
    """Whether the customer's history was used; only ever with consent."""
    consent: str = ""
    """Id of the consent that allowed it."""
    approvals: tuple[str, ...] = ()
    """Ids of human approvals."""

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON, without what is empty."""
        return {name: value for name, value in asdict(self).items() if value or name == "source"}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Decision:
        """Return the decision of a record, of an older or newer version too.

        Raises:
            KeyError: it has no reply or session id.
        """
        known: dict[str, Any] = {
            field.name: record[field.name] for field in fields(cls) if field.name in record
        }
        for name in ("inputs", "facts", "rules", "approvals"):
            known[name] = tuple(known.get(name, ()))
        known["gates"] = tuple(
            GateOutcome(str(gate["reason"]), str(gate["action"])) for gate in known.get("gates", ())
        )
        return cls(reply_id=record["reply_id"], session_id=record["session_id"], **{
            name: value for name, value in known.items() if name not in {"reply_id", "session_id"}
        })  # fmt: skip


def asks_why(text: str, language: str) -> bool:
    """Tell whether somebody asks for the reason of the last answer ("pourquoi cette réponse ?")."""
    words = _fold(text)
    return len(words.split()) <= LONGEST_QUESTION and bool(_words(language).asks.search(words))


def why(decision: Decision, language: str, titles: Mapping[str, str] | None = None) -> list[str]:
    """Return two to four sentences that say how an answer came about.

    Args:
        decision: the record.
        language: fr, nl, de or en; another language gets English.
        titles: source id to a title fit for the ear ("product:oslo" → "Oslo"); a source without
            one is named by its kind.
    """
    words = _words(language)
    sources = _sources(decision.facts, words, titles or {})
    key = decision.source if decision.source in words.by_source else "facts"
    said = [words.by_source[key][0 if sources else 1].format(sources=sources)]
    if decision.intent in {"recommend", "compare", "cheaper"}:
        said.append(words.sentences["choice"])
    replaced = [gate.reason for gate in decision.gates if gate.action == "replaced"]
    if replaced:
        reason = words.reasons.get(replaced[0], words.reasons["claim"])
        said.append(words.sentences["held_back"].format(reason=reason))
    if decision.language_reason == "asked":
        said.append(words.sentences["language"])
    said.append(words.sentences["history" if decision.personalised else "no_history"])
    if replaced or decision.source in {"fallback", "guard"} or decision.failure == "refused":
        said.append(words.sentences["contest"])
    return said


@dataclass(frozen=True, slots=True)
class _Words:
    asks: re.Pattern[str]
    by_source: Mapping[str, tuple[str, str]]
    """With sources, and without."""
    kinds: Mapping[str, tuple[str, str]]
    """Named by a title, and without."""
    reasons: Mapping[str, str]
    sentences: Mapping[str, str]
    conjunction: str


@functools.cache
def _words(language: str) -> _Words:
    data = resources.files("voice_server.trust") / "data" / "why.yaml"
    everything = yaml.safe_load(data.read_text(encoding="utf-8"))
    raw = everything[language if language in LANGUAGES else "en"]
    return _Words(
        asks=re.compile("|".join(f"(?:{pattern})" for pattern in raw["asks"])),
        by_source={key: (pair[0], pair[-1]) for key, pair in raw["by_source"].items()},
        kinds={key: (pair[0], pair[1]) for key, pair in raw["kinds"].items()},
        reasons=raw["reasons"],
        sentences=raw["sentences"],
        conjunction=raw["and"],
    )


def _sources(facts: Sequence[str], words: _Words, titles: Mapping[str, str]) -> str:
    named: list[str] = []
    for source_id in facts:
        kind = source_id.partition(":")[0]
        titled, plain = words.kinds.get(kind, words.kinds["shop"])
        title = titles.get(source_id, "")
        named.append(titled.format(title=title) if title else plain)
    chosen = list(dict.fromkeys(named))[:MOST_SOURCES]
    if len(chosen) < 2:
        return "".join(chosen)
    return f"{', '.join(chosen[:-1])} {words.conjunction} {chosen[-1]}"


def _fold(text: str) -> str:
    """Return lower-case words without accents and marks, apostrophes kept."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(re.findall(r"[\w']+", plain))
