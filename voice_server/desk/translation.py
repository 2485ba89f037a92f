"""Translation between a customer's language and the company's, that never changes a fact."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from voice_server.desk.protect import Masked, mask, unmask

log = logging.getLogger(__name__)

TRANSLATE_S = 4.0
"""One sentence: as long as a first clause may take. Then the original is shown, and said so."""

LONGER = 3.0
"""A translation is at most so many times as long; more is a model that talks on."""

ROOM = 40
"""Characters that short texts may grow by ("oui" to "yes, please")."""


class Translate(Protocol):
    """Something that translates plain text; a model behind it may be wrong, slow or absent."""

    async def __call__(self, text: str, source: str, target: str) -> str:
        """Return the text in ``target`` (ISO 639-1), marks such as ``⟦1⟧`` kept. May raise."""


@dataclass(frozen=True, slots=True)
class Translated:
    """``ok`` False: ``text`` is the original, because no translation could be trusted."""

    text: str
    ok: bool


class Translator:
    """Masks, asks, checks, unmasks; one retry, one deadline for both."""

    def __init__(
        self,
        translate: Translate | None,
        *,
        internal_language: str,
        glossary: Mapping[str, Mapping[str, str]] | None = None,
        names: Sequence[str] = (),
        deadline_s: float = TRANSLATE_S,
    ) -> None:
        """``glossary``: term of the internal language to its words by language.

        ``names``: brands and products, which stay as they are.  Without ``translate`` every text
        but one in its own language comes back as it is, with ``ok`` False.
        """
        self._translate = translate
        self._internal = internal_language
        self._glossary = glossary or {}
        self._names = tuple(names)
        self._deadline_s = deadline_s

    async def translate(
        self, text: str, source: str, target: str, *, names: Sequence[str] = ()
    ) -> Translated:
        """Translate; ``names`` are this conversation's (customer, agent). Never raises."""
        if source == target or not text.strip():
            return Translated(text, ok=True)
        if self._translate is None:
            return Translated(text, ok=False)
        masked = mask(text, names=(*self._names, *names), glossary=self._terms(source, target))
        if not any(char.isalpha() for char in masked.text):
            return Translated(unmask(masked, masked.text) or text, ok=True)
        try:
            async with asyncio.timeout(self._deadline_s):
                for _ in range(2):
                    found = self._checked(
                        masked, await self._translate(masked.text, source, target)
                    )
                    if found is not None:
                        return Translated(found, ok=True)
        except TimeoutError:
            log.warning("no translation %s-%s within %g s", source, target, self._deadline_s)
        except Exception as error:  # whatever a model does, the message must go through
            log.warning("translation %s-%s failed: %s", source, target, type(error).__name__)
        else:
            log.warning("a translation %s-%s lost or invented something", source, target)
        return Translated(text, ok=False)

    def _checked(self, masked: Masked, answer: str) -> str | None:
        if not answer.strip() or len(answer) > LONGER * len(masked.text) + ROOM:
            return None
        return unmask(masked, answer)

    def _terms(self, source: str, target: str) -> dict[str, str]:
        """Return the glossary from one language to the other."""
        found: dict[str, str] = {}
        for term, words in self._glossary.items():
            known = {**words, self._internal: term}
            if source in known and target in known:
                found[known[source]] = known[target]
        return found
