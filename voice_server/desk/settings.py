"""The ``[desk]`` of a shop pack: which desk, which rules, which words keep their translation.

.. code-block:: toml

    [desk]
    kind = "zendesk"            # console (built in), zendesk, sunshine, dixa, chatlayer
    language = "fr"             # the company's language; the pack's first one if it is left out
    callbacks = 2               # call-backs that can be promised for the same half hour

    [desk.rules]                # a limit of 0 switches a rule off
    high_value = 250
    failures = 2
    emotional = 2
    complex_intents = 4
    complex_turns = 25
    refusals = 1
    intents = ["complaint"]

    [desk.priorities]           # low, normal, high, urgent
    refused = "high"

    [desk.glossary.retour]      # a term of the company's language and what it is elsewhere
    nl = "retour"
    de = "Rücksendung"

    [desk.zendesk]              # what the vendor needs; secrets stay out of packs
    subdomain = "marolle"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voice_server.desk.packet import Priority
from voice_server.desk.rules import PRIORITIES, RULES, DeskRules
from voice_server.desk.texts import LANGUAGES
from voice_server.shop.pack_reader import PackError, Problem, Problems, Section, read_toml

KINDS = ("console", "zendesk", "sunshine", "dixa", "chatlayer")
"""Desks that there are; the first is built in."""

SECRETS = ("token", "secret", "password", "key")
"""Names that must not stand in a pack, which people copy and share."""


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What a shop says about its desk."""

    kind: str = "console"
    language: str = "en"
    """The company's internal language, ISO 639-1."""
    callbacks: int = 1
    rules: DeskRules = field(default_factory=DeskRules)
    glossary: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Term of the internal language to its words by language."""
    vendor: Mapping[str, str] = field(default_factory=dict)
    """The table named after ``kind``, numbers as text."""


def load_desk(folder: Path) -> DeskSettings:
    """Read the desk of a shop pack. Raises PackError naming file, line and remedy."""
    settings, problems = read_desk(folder)
    if any(problem.severity == "error" for problem in problems):
        raise PackError(folder, problems)
    return settings


def read_desk(folder: Path) -> tuple[DeskSettings, list[Problem]]:
    """Return the settings, with stand-ins for what is wrong, and everything that is wrong."""
    problems = Problems()
    root = read_toml(folder, "shop.toml", problems)
    section = root.section("desk", required=False)
    kind = section.text("kind", "console")
    if kind not in KINDS:
        section.error("kind", f"there is no desk '{kind}'", f"use one of {', '.join(KINDS)}")
        kind = "console"
    settings = DeskSettings(
        kind=kind,
        language=_language(root, section),
        callbacks=max(1, section.number("callbacks", 1)),
        rules=_rules(section),
        glossary=_glossary(section),
        vendor=_vendor(section, kind),
    )
    return settings, problems.found


def _language(root: Section, section: Section) -> str:
    shop = root.data.get("shop")
    spoken = shop.get("languages") if isinstance(shop, dict) else None
    first = spoken[0] if isinstance(spoken, list) and spoken else "en"
    language = section.text("language", first if isinstance(first, str) else "en")
    if language not in LANGUAGES:
        section.error(
            "language",
            f"the desk has no texts in '{language}'",
            f"use one of {', '.join(LANGUAGES)}",
        )
        return "en"
    return language


def _rules(section: Section) -> DeskRules:
    table, default = section.section("rules", required=False), DeskRules()
    return DeskRules(
        high_value=table.amount("high_value", default.high_value),
        failures=table.number("failures", default.failures),
        emotional=table.number("emotional", default.emotional),
        complex_intents=table.number("complex_intents", default.complex_intents),
        complex_turns=table.number("complex_turns", default.complex_turns),
        refusals=table.number("refusals", default.refusals),
        intents=table.texts("intents") if "intents" in table.data else default.intents,
        priorities=_priorities(section.section("priorities", required=False)),
    )


def _priorities(section: Section) -> Mapping[str, Priority]:
    found = dict(PRIORITIES)
    for rule in section.data:
        value = section.text(rule)
        if rule not in RULES:
            section.error(rule, f"there is no rule '{rule}'", f"use one of {', '.join(RULES)}")
        elif value not in tuple(Priority):
            section.error(
                rule, f"'{value}' is no priority", f"use one of {', '.join(tuple(Priority))}"
            )
        else:
            found[rule] = Priority(value)
    return found


def _glossary(section: Section) -> Mapping[str, Mapping[str, str]]:
    table = section.section("glossary", required=False)
    found: dict[str, Mapping[str, str]] = {}
    for term in table.data:
        words = table.section(term)
        found[term] = {language: words.text(language) for language in words.data}
    return found


def _vendor(section: Section, kind: str) -> Mapping[str, str]:
    table = section.section(kind, required=False)
    found: dict[str, str] = {}
    for key, value in table.data.items():
        if any(secret in key.lower() for secret in SECRETS):
            table.error(
                key,
                f"'{key}' is a secret and does not belong in a pack",
                "set VOICE_SERVER_DESK_TOKEN or VOICE_SERVER_DESK_SECRET instead",
            )
        elif isinstance(value, str | int) and not isinstance(value, bool):
            found[key] = str(value)
        else:
            table.error(key, f"'{key}' must be a text or a whole number", f'write {key} = "..."')
    return found
