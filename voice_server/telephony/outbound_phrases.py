"""What is said on calls that we place, about recording, and to who wants no calls any more.

In the caller's language, polite form throughout.  Openings say first that an AI speaks, and for
whom (AI Act, article 50): they stand for the shop's own greeting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from voice_server.dialogue.consent import heard_words
from voice_server.telephony.outbound import REASON_CHARS


class OutboundPhrase(StrEnum):
    """Moments of a call."""

    WHO = "who"
    """First words: ``{shop}``."""
    CALL_BACK = "call_back"
    ABOUT = "about"
    """``{reason}``."""
    HELP = "help"
    MESSAGE = "message"
    """Last words to a machine: ``{number}`` to call back."""
    NEVER = "never"
    """The wish not to be called is noted."""
    MAY_WE_RECORD = "may_we_record"
    RECORDED = "recorded"
    NOT_RECORDED = "not_recorded"
    ANNOUNCED = "announced"
    """The line records unless the other side objects."""
    WITHDRAWN = "withdrawn"


PHRASES: Mapping[OutboundPhrase, Mapping[str, str]] = {
    OutboundPhrase.WHO: {
        "fr": "Bonjour, ici l'assistant vocal de {shop}, une intelligence artificielle.",
        "nl": "Dag, u spreekt met de spraakassistent van {shop}, een artificiële intelligentie.",
        "de": "Guten Tag, hier ist der Sprachassistent von {shop}, eine künstliche Intelligenz.",
        "en": "Hello, this is {shop}'s voice assistant, an artificial intelligence.",
    },
    OutboundPhrase.HELP: {
        "fr": "Que puis-je faire pour vous ?",
        "nl": "Waarmee kan ik u helpen?",
        "de": "Was kann ich für Sie tun?",
        "en": "How can I help you?",
    },
    OutboundPhrase.CALL_BACK: {
        "fr": "Vous aviez demandé qu'on vous rappelle.",
        "nl": "U had gevraagd om teruggebeld te worden.",
        "de": "Sie hatten um einen Rückruf gebeten.",
        "en": "You asked us to call you back.",
    },
    OutboundPhrase.ABOUT: {
        "fr": "C'est au sujet de : {reason}.",
        "nl": "Het gaat over: {reason}.",
        "de": "Es geht um: {reason}.",
        "en": "It is about: {reason}.",
    },
    OutboundPhrase.MESSAGE: {
        "fr": "Vous pouvez nous rappeler{number}. Merci, et au revoir.",
        "nl": "U kunt ons terugbellen{number}. Dank u, en tot ziens.",
        "de": "Sie können uns zurückrufen{number}. Vielen Dank, und auf Wiederhören.",
        "en": "You can call us back{number}. Thank you, and goodbye.",
    },
    OutboundPhrase.NEVER: {
        "fr": "C'est noté, nous ne vous appellerons plus.",
        "nl": "Dat is genoteerd, wij bellen u niet meer op.",
        "de": "Das ist notiert, wir rufen Sie nicht mehr an.",
        "en": "That is noted, we will not call you again.",
    },
    OutboundPhrase.MAY_WE_RECORD: {
        "fr": "Pouvons-nous enregistrer cet appel, pour améliorer notre service ? "
        "Dites oui ou non.",
        "nl": "Mogen wij dit gesprek opnemen, om onze dienst te verbeteren? Zegt u ja of nee.",
        "de": "Dürfen wir dieses Gespräch aufzeichnen, um unseren Service zu verbessern? "
        "Sagen Sie bitte ja oder nein.",
        "en": "May we record this call, to improve our service? Please say yes or no.",
    },
    OutboundPhrase.RECORDED: {
        "fr": "Merci, l'appel est enregistré. Je vous écoute.",
        "nl": "Dank u, het gesprek wordt opgenomen. Zegt u het maar.",
        "de": "Vielen Dank, das Gespräch wird aufgezeichnet. Was kann ich für Sie tun?",
        "en": "Thank you, the call is being recorded. How can I help you?",
    },
    OutboundPhrase.NOT_RECORDED: {
        "fr": "D'accord, l'appel n'est pas enregistré. Je vous écoute.",
        "nl": "Goed, het gesprek wordt niet opgenomen. Zegt u het maar.",
        "de": "Gut, das Gespräch wird nicht aufgezeichnet. Was kann ich für Sie tun?",
        "en": "All right, the call is not recorded. How can I help you?",
    },
    OutboundPhrase.ANNOUNCED: {
        "fr": "Cet appel est enregistré pour améliorer notre service. "
        "Si vous ne le voulez pas, dites : ne pas enregistrer.",
        "nl": "Dit gesprek wordt opgenomen om onze dienst te verbeteren. "
        "Wilt u dat niet, zegt u dan: niet opnemen.",
        "de": "Dieses Gespräch wird aufgezeichnet, um unseren Service zu verbessern. "
        "Wenn Sie das nicht möchten, sagen Sie bitte: nicht aufzeichnen.",
        "en": "This call is recorded to improve our service. "
        "If you do not want that, please say: do not record.",
    },
    OutboundPhrase.WITHDRAWN: {
        "fr": "L'enregistrement est arrêté et effacé. Je vous écoute.",
        "nl": "De opname is gestopt en gewist. Zegt u het maar.",
        "de": "Die Aufzeichnung ist beendet und gelöscht. Ich höre Ihnen zu.",
        "en": "The recording has been stopped and deleted. Please go on.",
    },
}

_NUMBER = {
    "fr": " au {number}", "nl": " op {number}", "de": " unter {number}", "en": " on {number}",
}  # fmt: skip

_NEVER: Mapping[str, re.Pattern[str]] = {
    "fr": re.compile(
        r"\bne (?:me |m'|nous )?(?:r?appel\w+|telephon\w+|contact\w+)(?: moi)?(?: surtout)? "
        r"(?:plus|jamais)\b|\bne plus (?:jamais )?(?:m'appeler|me (?:r?appeler|contacter)"
        r"|me telephoner|etre (?:r?appele|contacte))|\bplus (?:jamais )?etre (?:r?appele|contacte)"
        r"|\b(?:retir|enlev|supprim)\w+.{0,25}\bliste\b|\bappelez plus\b"
    ),
    "nl": re.compile(
        r"\bbel\w* (?:u )?(?:me|mij|ons|dit nummer)(?: alstublieft)? (?:niet|nooit) (?:meer|weer)\b"
        r"(?!.{0,12}terug)|\b(?:niet|nooit) meer (?:worden )?(?:op)?gebeld\b"
        r"|\bwil (?:niet|nooit) (?:meer )?(?:worden )?(?:op)?gebeld\b"
        r"|\bhaal (?:me|mij|mijn nummer).{0,20}\blijst\b"
    ),
    "de": re.compile(
        r"\bruf\w* (?:sie )?(?:mich|uns)(?: bitte)? (?:nicht|nie)(?: mehr| wieder)\b"
        r"|\b(?:nicht|nie) (?:mehr|wieder) (?:angerufen|anrufen|kontaktiert)\b"
        r"|\bkeine (?:weiteren )?anrufe mehr\b|\b(?:streich|nehm|loesch|losch)\w*.{0,30}\bliste\b"
    ),
    "en": re.compile(
        r"\b(?:do not|don't|dont|never) (?:ever )?(?:call|phone|ring) (?:me|us|this number)\b"
        r"(?! back (?:now|today|tomorrow|before|until|yet))|\bstop (?:calling|phoning|ringing)\b"
        r"|\b(?:take|remove) (?:me|us|my (?:phone )?number).{0,20}\b(?:list|system)\b"
        r"|\bnot (?:want to )?be (?:called|phoned) (?:again|any ?more)\b"
    ),
}
"""On texts as :func:`heard_words` makes them. A question about a call that did not come ("why did
you not call me back") is none of these."""

_STOP_RECORDING: Mapping[str, re.Pattern[str]] = {
    "fr": re.compile(
        r"\bne (?:pas|plus) (?:m')?enregistr\w+|\benregistr\w+ (?:pas|plus)\b"
        r"|\bpas (?:etre )?enregistre\w*|\b(?:arret|stop|coup|effac|supprim)\w*.{0,20}\benregistr"
    ),
    "nl": re.compile(
        r"\b(?:niet|nooit)(?: meer)?(?: worden)? op(?:ge)?nomen\b|\bniet(?: meer)? opnemen\b"
        r"|\b(?:stop|wis|beeindig|verwijder)\w*.{0,20}\bopna?\w+|\bopname.{0,12}\b(?:stop|uit|wis)"
    ),
    "de": re.compile(
        r"\bnicht(?: mehr)? (?:auf(?:ge)?(?:zeichn|nehm|nomm)\w+|mitschneiden)"
        r"|\b(?:stopp|beend|losch|loesch)\w*.{0,20}\b(?:aufnahme|aufzeichnung)"
        r"|\bkeine (?:aufnahme|aufzeichnung)\b"
    ),
    "en": re.compile(
        r"\b(?:do not|don't|dont|not|never|stop)(?: want)?(?: to)?(?: be)?(?: this)?(?: call)? "
        r"record(?:ed|ing)?\b|\b(?:stop|end|delete|erase)\b.{0,15}\brecording\b|\bno recording\b"
    ),
}


def outbound_phrase(which: OutboundPhrase, language: str, **values: str) -> str:
    """Return the words in ``language``, in English for one we do not speak."""
    texts = PHRASES[which]
    return texts.get(language, texts["en"]).format(**values)


def opening(language: str, shop: str, *, call_back: bool, reason: str) -> tuple[str, ...]:
    """Return the first sentences of a call that we place: who, that it is an AI, and why.

    Sentence by sentence: what is always the same sounds from the phrase cache at once.
    """
    about = _about(language, call_back=call_back, reason=reason)
    return (
        outbound_phrase(OutboundPhrase.WHO, language, shop=shop),
        *about,
        outbound_phrase(OutboundPhrase.HELP, language),
    )


def message(
    language: str, shop: str, number: str, *, call_back: bool, reason: str
) -> tuple[str, ...]:
    """Return the sentences a machine records; ``number``: where we can be reached."""
    where = _NUMBER.get(language, _NUMBER["en"]).format(number=number) if number else ""
    return (
        outbound_phrase(OutboundPhrase.WHO, language, shop=shop),
        *_about(language, call_back=call_back, reason=reason),
        outbound_phrase(OutboundPhrase.MESSAGE, language, number=where),
    )


def always_said(language: str, shop: str, number: str, *, out: bool, recording: str) -> list[str]:
    """Return what a line says in the same words every time: for the phrase cache.

    ``out``: the line calls out.  ``recording``: off, ask or announce.
    """
    asked = [OutboundPhrase.MAY_WE_RECORD, OutboundPhrase.RECORDED, OutboundPhrase.NOT_RECORDED]
    told = [OutboundPhrase.ANNOUNCED, OutboundPhrase.WITHDRAWN, OutboundPhrase.NOT_RECORDED]
    fixed = {"ask": asked, "announce": told}.get(recording, [])
    texts = [outbound_phrase(which, language) for which in [OutboundPhrase.NEVER, *fixed]]
    if out:
        texts += opening(language, shop, call_back=True, reason="")
        texts.append(message(language, shop, number, call_back=True, reason="")[-1])
    return texts


def wants_no_calls(text: str, language: str) -> bool:
    """Tell whether somebody says that they must not be called any more."""
    return _says(_NEVER, text, language)


def wants_no_recording(text: str, language: str) -> bool:
    """Tell whether somebody says that they must not be recorded."""
    return _says(_STOP_RECORDING, text, language)


def _says(patterns: Mapping[str, re.Pattern[str]], text: str, language: str) -> bool:
    pattern = patterns.get(language)
    return pattern is not None and bool(pattern.search(heard_words(text)))


def _about(language: str, *, call_back: bool, reason: str) -> tuple[str, ...]:
    reason = " ".join(reason.split())[:REASON_CHARS].rstrip(" .!?;:,")
    return (
        *((outbound_phrase(OutboundPhrase.CALL_BACK, language),) if call_back else ()),
        *((outbound_phrase(OutboundPhrase.ABOUT, language, reason=reason),) if reason else ()),
    )
