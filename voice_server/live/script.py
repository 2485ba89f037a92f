"""What will be said of a segment, as the host reads it before the show. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from voice_server.live.facts import Facts
from voice_server.live.run_sheet import fields_of

Doubt = Callable[[str, str, str], str]
"""(sentence, language, product id) -> what in it the facts do not back, "" when they do."""


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """One sentence of a segment."""

    template: str
    """As it is written, with its fields in braces."""
    text: str
    """As it would be spoken now; "" when one of its fields does not hold."""
    missing: str = ""
    """The field that does not hold now: the sentence is left out while that is so."""
    doubt: str = ""
    """Words the shop's facts do not back: the host answers for them."""


def script(
    facts: Facts,
    product_id: str,
    points: Mapping[str, Sequence[str]],
    languages: Sequence[str],
    doubt: Doubt = lambda text, language, product: "",
) -> dict[str, list[dict[str, object]]]:
    """Return a segment's lines by language: the host's, else those of the product's own texts."""
    found: dict[str, list[dict[str, object]]] = {}
    for language in languages:
        own = points.get(language, ())
        templates = own or facts.points(product_id, language)
        fields = facts.fields(product_id, language)
        lines = []
        for template in templates:
            try:
                missing = min(fields_of(template) - fields.keys(), default="")
                text = "" if missing else template.format_map(fields)
            except ValueError as error:
                missing, text = str(error), ""
            # A field is true by itself; what the host typed as it stands may not be.
            doubted = doubt(text, language, product_id) if own and text else ""
            lines.append(asdict(ScriptLine(template, text, missing, doubted)))
        found[language] = lines
    return found
