"""What only a phone call needs to say, in the caller's language. Polite form throughout."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class PhonePhrase(StrEnum):
    """Moments of a call that no other channel has."""

    CONNECTING = "connecting"
    NOBODY = "nobody"
    """A human was asked for, and this line has none to connect to."""
    BACK = "back"
    """The human did not pick up; the caller is with us again."""
    SILENCE = "silence"
    """Nobody has spoken for long: the last words before we hang up."""
    LONG = "long"
    """The call has reached its longest time."""
    CHOICE = "choice"
    """Offers this language by key, said in this language. ``{key}``."""
    CHOSEN = "chosen"
    """The language was chosen."""
    JOINED = "joined"
    """A person of the staff has taken the call over."""
    RETURNED = "returned"
    """The assistant speaks again: it must say that it is one."""
    LISTENED = "listened"
    """People of the staff listen from now on."""
    WHISPER = "whisper"
    """What the human hears before being joined, when nothing is known. ``{language}``."""


PHRASES: Mapping[PhonePhrase, Mapping[str, str]] = {
    PhonePhrase.CONNECTING: {
        "fr": "Je vous mets en relation avec un collègue. Un instant, s'il vous plaît.",
        "nl": "Ik verbind u door met een collega. Een ogenblik, alstublieft.",
        "de": "Ich verbinde Sie mit einer Kollegin oder einem Kollegen. Einen Moment, bitte.",
        "en": "I am connecting you to a colleague. One moment, please.",
    },
    PhonePhrase.NOBODY: {
        "fr": "Je ne peux pas vous passer un collègue sur cette ligne. "
        "Dites-moi ce que je peux faire pour vous.",
        "nl": "Op deze lijn kan ik u niet met een collega doorverbinden. "
        "Zegt u mij gerust waarmee ik u kan helpen.",
        "de": "Auf dieser Leitung kann ich Sie nicht weiterverbinden. "
        "Sagen Sie mir gern, was ich für Sie tun kann.",
        "en": "I cannot put you through to a colleague on this line. "
        "Please tell me what I can do for you.",
    },
    PhonePhrase.BACK: {
        "fr": "Personne n'a pu prendre votre appel, veuillez nous en excuser. "
        "Je reste là pour vous aider.",
        "nl": "Er kon niemand opnemen, onze excuses daarvoor. Ik help u graag verder.",
        "de": "Leider konnte niemand Ihren Anruf annehmen. Ich helfe Ihnen gern weiter.",
        "en": "I am sorry, nobody was able to take your call. I am still here to help you.",
    },
    PhonePhrase.SILENCE: {
        "fr": "Je ne vous entends plus. N'hésitez pas à nous rappeler. Au revoir.",
        "nl": "Ik hoor u niet meer. U mag ons altijd terugbellen. Tot ziens.",
        "de": "Ich höre Sie nicht mehr. Rufen Sie uns gern wieder an. Auf Wiederhören.",
        "en": "I cannot hear you any more. Please do call us again. Goodbye.",
    },
    PhonePhrase.LONG: {
        "fr": "Notre conversation a atteint sa durée maximale. "
        "Vous pouvez nous rappeler à tout moment. Au revoir.",
        "nl": "Ons gesprek heeft de maximale duur bereikt. "
        "U kunt ons op elk moment terugbellen. Tot ziens.",
        "de": "Unser Gespräch hat die längste Dauer erreicht. "
        "Sie können uns jederzeit wieder anrufen. Auf Wiederhören.",
        "en": "Our conversation has reached its longest time. "
        "You can call us again at any moment. Goodbye.",
    },
    PhonePhrase.CHOICE: {
        "fr": "Pour le français, appuyez sur {key}.",
        "nl": "Voor Nederlands, druk op {key}.",
        "de": "Für Deutsch drücken Sie die {key}.",
        "en": "For English, press {key}.",
    },
    PhonePhrase.CHOSEN: {
        "fr": "Très bien, continuons en français. Je vous écoute.",
        "nl": "Goed, we gaan verder in het Nederlands. Zegt u het maar.",
        "de": "Gut, wir sprechen Deutsch weiter. Was kann ich für Sie tun?",
        "en": "Very well, let us continue in English. How can I help you?",
    },
    PhonePhrase.JOINED: {
        "fr": "Une personne de notre équipe prend la suite de l'appel.",
        "nl": "Een medewerker neemt het gesprek nu over.",
        "de": "Jemand aus unserem Team übernimmt jetzt das Gespräch.",
        "en": "A member of our team is joining the call now.",
    },
    PhonePhrase.RETURNED: {
        "fr": "Vous parlez de nouveau avec l'assistant vocal, une intelligence "
        "artificielle. Que puis-je encore faire pour vous ?",
        "nl": "U spreekt opnieuw met de spraakassistent, een AI. Waarmee kan ik u nog helpen?",
        "de": "Sie sprechen wieder mit dem Sprachassistenten, einer KI. "
        "Was kann ich noch für Sie tun?",
        "en": "You are speaking with the voice assistant again, an AI. What else can I do for you?",
    },
    PhonePhrase.LISTENED: {
        "fr": "Pour votre information : un membre de notre équipe écoute cet appel.",
        "nl": "Ter informatie: een medewerker luistert mee naar dit gesprek.",
        "de": "Zur Information: Jemand aus unserem Team hört dieses Gespräch mit.",
        "en": "For your information: a member of our team is listening to this call.",
    },
    PhonePhrase.WHISPER: {
        "fr": "Appel transféré par l'assistant vocal. Langue du client : français.",
        "nl": "Doorverbonden door de spraakassistent. Taal van de klant: Nederlands.",
        "de": "Vom Sprachassistenten weitergeleitet. Sprache des Kunden: Deutsch.",
        "en": "Transferred by the voice assistant. The customer speaks English.",
    },
}

LOCALES: Mapping[str, str] = {"fr": "fr-FR", "nl": "nl-NL", "de": "de-DE", "en": "en-GB"}
"""For voices of the vendors, which want a region."""


def phrase(which: PhonePhrase, language: str, **values: str) -> str:
    """Return the words in ``language``, in English for one we do not speak."""
    texts = PHRASES[which]
    return texts.get(language, texts["en"]).format(**values)
