"""What may be known of a caller beyond this talk: nothing, unless they agreed.

A profile enters the context only through :func:`admit`, which leaves out what was not agreed to:
where there is no consent there is nothing to leak, neither into answers nor into a prompt.  Taking
consent back works at once, in the middle of a call.  Sans-I/O.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from voice_server.dialogue.facts import Context
from voice_server.dialogue.words import fold

MOST = 8
"""Products and likings that are used: more would not change advice, and cost prompt."""


@dataclass(frozen=True, slots=True)
class PersonalConsent:
    """What a caller agreed to. The default is nothing."""

    history: bool = False
    """What they bought before may be used for advice."""
    profile: bool = False
    """What they like may be used for advice."""
    id: str = ""
    """Of the proof of it, for decision records."""


NO_CONSENT = PersonalConsent()


@dataclass(frozen=True, slots=True)
class Profile:
    """What a shop knows of a customer, as far as advice can use it."""

    bought: tuple[str, ...] = ()
    """Product ids, newest first."""
    likes: tuple[str, ...] = ()
    """Tags of the catalogue ("outdoor", "reading")."""


def admit(context: Context, profile: Profile, consent: PersonalConsent) -> Context:
    """Return the context with what was agreed to, and nothing else."""
    bought = profile.bought[:MOST] if consent.history else ()
    likes = profile.likes[:MOST] if consent.profile else ()
    return replace(
        context, bought=bought, likes=likes, consent=consent.id if bought or likes else ""
    )


def forget(context: Context) -> Context:
    """Return the context without anything of the caller's past."""
    return replace(context, bought=(), likes=(), reasons=(), consent="")


def withdraws(text: str, language: str) -> bool:
    """Tell whether somebody takes consent back ("don't use my purchases")."""
    pattern = _WITHDRAWALS.get(language)
    return pattern is not None and pattern.search(fold(text)) is not None


def told(context: Context, names: Mapping[str, str]) -> str:
    """Return what a language model is told of the caller; "" without consent.

    ``names``: product id to its name; others are left out.
    """
    bought = [names[key] for key in context.bought if key in names]
    parts = [f"bought {', '.join(bought)}"] if bought else []
    parts += [f"likes {', '.join(context.likes)}"] if context.likes else []
    return f"The customer agreed to personal advice: {'; '.join(parts)}." if parts else ""


_WITHDRAWALS: Mapping[str, re.Pattern[str]] = {
    "fr": re.compile(
        r"n.utilisez (?:pas|plus) (?:mes|mon)\b|oubliez (?:mes|mon) (?:achats|historique|profil)"
        r"|(?:sans|pas de) personnalisation|je retire mon (?:accord|consentement)"
    ),
    "nl": re.compile(
        r"gebruik (?:mijn|m.n) .{0,30}\b(?:niet|niet meer)\b"
        r"|vergeet (?:mijn|m.n) (?:aankopen|profiel)"
        r"|(?:geen|zonder) personalisatie|ik trek mijn toestemming in"
    ),
    "de": re.compile(
        r"(?:nutzen|verwenden|benutzen) sie (?:meine?n?) .{0,30}\bnicht\b"
        r"|vergessen sie (?:meine?n?) (?:einkaufe|kaufe|profil)"
        r"|(?:keine|ohne) personalisierung|ich widerrufe meine (?:einwilligung|zustimmung)"
    ),
    "en": re.compile(
        r"(?:do not|don.t|stop) us(?:e|ing) my\b|forget (?:about )?my (?:purchases|history|profile)"
        r"|(?:no|without) personali[sz]ation|i withdraw my consent"
    ),
}
