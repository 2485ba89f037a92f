"""What a human is told before a caller is joined to them: spoken, and as fields for a screen. Pure.

Spoken in the staff's language.  What the caller said is quoted only where it is in that language:
no voice reads another one well; on a screen it stands in any language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voice_server.telephony.bridge_base import printable

SAID_MOST = 160
"""Characters quoted: ten seconds of speech, which is as long as a colleague listens."""

FIELD_MOST = 240
"""Characters of one field: SIP headers and vendors' variables are short."""

LANGUAGES: Mapping[str, Mapping[str, str]] = {
    "fr": {"fr": "français", "nl": "néerlandais", "de": "allemand", "en": "anglais"},
    "nl": {"fr": "Frans", "nl": "Nederlands", "de": "Duits", "en": "Engels"},
    "de": {"fr": "Französisch", "nl": "Niederländisch", "de": "Deutsch", "en": "Englisch"},
    "en": {"fr": "French", "nl": "Dutch", "de": "German", "en": "English"},
}

_TEXTS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "opening": "Appel transféré par l'assistant vocal. Langue du client : {language}.",
        "about": "Sujet : {about}.",
        "key": "Le client a appuyé sur zéro.",
        "operator": "Transféré par un collègue.",
        "ticket": "Dossier {ticket}.",
        "said": "Il a dit : {said}",
    },
    "nl": {
        "opening": "Doorverbonden door de spraakassistent. Taal van de klant: {language}.",
        "about": "Onderwerp: {about}.",
        "key": "De klant heeft op nul gedrukt.",
        "operator": "Doorgestuurd door een collega.",
        "ticket": "Dossier {ticket}.",
        "said": "De klant zei: {said}",
    },
    "de": {
        "opening": "Vom Sprachassistenten weitergeleitet. Sprache des Kunden: {language}.",
        "about": "Thema: {about}.",
        "key": "Der Kunde hat die Null gedrückt.",
        "operator": "Von einem Kollegen weitergeleitet.",
        "ticket": "Vorgang {ticket}.",
        "said": "Der Kunde sagte: {said}",
    },
    "en": {
        "opening": "Transferred by the voice assistant. The customer speaks {language}.",
        "about": "About: {about}.",
        "key": "The customer pressed zero.",
        "operator": "Sent on by a colleague.",
        "ticket": "Case {ticket}.",
        "said": "They said: {said}",
    },
}


def brief(staff: str, caller: str, details: Mapping[str, str], said: Sequence[str]) -> str:
    """Return the sentences a human hears.

    ``staff`` and ``caller`` are ISO 639-1; ``details`` may have "about" (in the staff's words),
    "reason" and "ticket"; ``said``: the caller's last utterances, oldest first.
    """
    staff = staff if staff in _TEXTS else "en"
    texts = _TEXTS[staff]
    sentences = [texts["opening"].format(language=LANGUAGES[staff].get(caller, caller))]
    if about := _short(details.get("about", "")):
        sentences.append(texts["about"].format(about=about.rstrip(".")))
    if details.get("reason") in ("key", "operator"):
        sentences.append(texts[details["reason"]])
    if ticket := _short(details.get("ticket", "")):
        sentences.append(texts["ticket"].format(ticket=ticket))
    if caller == staff and said:
        sentences.append(texts["said"].format(said=last_words(said)))
    return " ".join(sentences)


def screen(details: Mapping[str, str]) -> dict[str, str]:
    """Return the fields that a vendor passes to the human's screen: short, without controls."""
    return {key: _short(value) for key, value in details.items() if value}


def last_words(said: Sequence[str]) -> str:
    """Return the end of what the caller said."""
    text = printable(" ".join(said)).strip()
    return text if len(text) <= SAID_MOST else "… " + text[-SAID_MOST:].partition(" ")[2]


def _short(text: str) -> str:
    return printable(text).strip()[:FIELD_MOST]
