"""Cut streamed text into clauses that can be spoken: the first one soon, the later ones whole.

The splitter decides with what stands to the left and at most the next word, so its clauses do
not depend on how the text happened to be cut into deltas.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from voice_server.speech.verbalise import abbreviations
from voice_server.speech.verbalise.common import words

_STRONG = ".!?…。！？؟।\n"
_WEAK = ",;:،؛，；：、—–-"
_DASHES = "—–-"
_UNSPACED_MARKS = "。！？，；：、"
"""Marks of scripts without spaces: what follows them may follow at once."""
_CLOSING = "\"'’”»)]}」』）】*_"
_UNSPACED_LANGUAGES = frozenset({"zh", "ja", "th", "lo", "km", "my"})
_ORDINAL_POINT_LANGUAGES = frozenset({"de", "da", "nb", "no", "fi", "cs", "sk", "pl", "hu", "hr"})
"""Languages that write first as "1."."""
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")

_CLINGING = frozenset(  # words nobody pauses behind
    words(
        "a an the of to in on at for with from by and or but our your my its is are was be not no "
        "very every each all both several "
        "le la les l un une des du de d en à au aux et ou mais dans pour par sur avec sans votre "
        "vos notre nos mon ma mes ce cette ces ne pas est sont très plus que qui se tous toutes "
        "tout toute quelques plusieurs chaque "
        "het een van op te voor met bij aan of maar uit uw je jouw ons onze mijn zijn niet geen "
        "zeer heel dat die deze dit om naar alle elke "
        "der die das den dem des ein eine einen einem einer im am zum zur von vom mit bei für auf "
        "und oder aber aus ihr ihre ihren unser unsere ist sind nicht kein keine sehr zu dass als "
        "jede jeden jeder"
    )
)
_OPENING = frozenset(  # words a speaker may well pause before
    words(
        "and or but because with for from in on at to that which when if so "
        "et ou mais car avec pour dans sur par chez que qui quand si donc "
        "en of maar want met voor van op bij aan die dat als wanneer dus om "
        "und oder aber denn mit für von auf an das wenn weil also zu"
    )
)


@dataclass(frozen=True, slots=True)
class ClauseLimits:
    """Lengths in characters (of the clause without its outer spaces) and words.

    The first clause is short because nothing sounds before it is synthesised; a window-streaming
    synthesiser makes later ones free to be whole sentences, which sound better.
    """

    first_chars: int = 10
    first_words: int = 6
    sentence_chars: int = 20
    part_chars: int = 60
    longest_chars: int = 180

    @classmethod
    def unspaced(cls) -> ClauseLimits:
        """Limits for scripts whose characters are syllables or words."""
        return cls(first_chars=4, first_words=0, sentence_chars=8, part_chars=20, longest_chars=60)


class ClauseSplitter:
    """Feed it deltas, get clauses; their concatenation is the text, to the character."""

    def __init__(self, language: str, limits: ClauseLimits | None = None) -> None:
        """Start a text in ``language`` (ISO 639-1 or BCP 47)."""
        base = language.replace("_", "-").split("-")[0].lower()
        self._spaced = base not in _UNSPACED_LANGUAGES
        self._limits = limits or (ClauseLimits() if self._spaced else ClauseLimits.unspaced())
        self._ordinal_points = base in _ORDINAL_POINT_LANGUAGES
        self._nouns_have_capitals = base == "de"
        self._short = frozenset(word.lower().rstrip(".") for word in abbreviations(base))
        self._buffer = ""
        self._first = True
        self._looked = 0

    def feed(self, delta: str) -> list[str]:
        """Take more text and return the clauses that are complete now."""
        self._buffer += delta
        return self._cut(final=False)

    def flush(self) -> list[str]:
        """Return what is left: the text is complete. The splitter is then ready for another.

        The last clause may hold nothing but spaces: it is there so that none is lost.
        """
        clauses = self._cut(final=True)
        if self._buffer:
            clauses.append(self._buffer)
        self._buffer, self._first, self._looked = "", True, 0
        return clauses

    def _cut(self, *, final: bool) -> list[str]:
        clauses = []
        while (at := self._next_cut(final=final)) is not None:
            clauses.append(self._buffer[:at])
            self._buffer = self._buffer[at:]
            self._looked = 0
            self._first = False
        return clauses

    def _next_cut(self, *, final: bool) -> int | None:
        """Return where the buffer's first clause ends, or None when that is not known yet."""
        text = self._buffer
        at = self._looked
        while at < len(text):
            self._looked = at
            character = text[at]
            if character in _STRONG or character in _WEAK:
                end = self._mark_end(at)
                if end == len(text) and not final:
                    return None  # what follows decides
                following = self._following(end)
                if following is None and not final and character in _DASHES:
                    return None  # a range, perhaps
                if end < len(text) and self._is_boundary(at, end, following or ""):
                    return end
                at = end
            elif character.isspace():
                following = self._following(at)
                if following is None and not final:
                    return None
                cut = self._soft_cut(at, following or "") if following else None
                if cut is not None:
                    return cut
                at += 1
            elif not self._spaced and at >= self._limits.longest_chars and not character.isascii():
                return at
            else:
                at += 1
        self._looked = at
        return None

    def _mark_end(self, at: int) -> int:
        """Return the place behind a mark and what closes with it: ``?!`` and quotes."""
        text, end = self._buffer, at + 1
        if text[at] in "!?.…":
            while end < len(text) and text[end] in "!?.…":
                end += 1
        while end < len(text) and text[end] in _CLOSING:
            end += 1
        return end

    def _following(self, at: int) -> str | None:
        """Return the first character that is not a space from ``at`` on, None if not there yet."""
        rest = self._buffer[at:].lstrip()
        return rest[0] if rest else None

    def _is_boundary(self, at: int, end: int, following: str) -> bool:
        text, mark = self._buffer, self._buffer[at]
        length = len(text[:end].strip())
        if mark == "\n":
            strong = True
        elif mark in _UNSPACED_MARKS:
            if text[at - 1 : at].isdigit() and following.isdigit():
                return False
            strong = mark in _STRONG
        elif not text[end].isspace():
            return False  # inside a number, a link, an abbreviation
        elif mark in _DASHES:
            # A dash parts when it stands free, and is no range: 9:00 – 18:00.
            before = text[:at].rstrip()
            free = text[at - 1 : at].isspace() and end == at + 1
            if not free or (before[-1:].isdigit() and (following.isdigit() or following in "€$£")):
                return False
            strong = False
        else:
            if mark == "." and end == at + 1 and self._is_point_of_word(at):
                return False
            strong = mark in _STRONG
        if self._first:
            return length >= self._limits.first_chars
        return length >= (self._limits.sentence_chars if strong else self._limits.part_chars)

    def _is_point_of_word(self, at: int) -> bool:
        """Whether the point belongs to an abbreviation, initials, an ordinal, a list's number."""
        before = self._buffer[:at]
        word = re.split(r"[\s(\[\"'’«“/]", before)[-1]
        if word.isdigit():
            ahead = before[: -len(word)].rstrip(" ")
            starts_line = not ahead or ahead[-1] in "\n:;-*"
            return starts_line or (self._ordinal_points and len(word) <= 2)
        return word.lower() in self._short or _INITIALS.fullmatch(word) is not None

    def _soft_cut(self, at: int, following: str) -> int | None:
        """Return where to cut without a mark once the clause at ``at`` has grown too long."""
        text, limits = self._buffer, self._limits
        if self._first and limits.first_words:
            places = _word_ends(text[:at])
            if len(places) >= limits.first_words:
                return self._best_place([*places[2:], at], following)
        if len(text[:at].strip()) >= limits.longest_chars:
            return self._best_place([at], following)
        return None

    def _best_place(self, places: list[int], following: str) -> int | None:
        """Return the best of the places where a word ends, the later the better."""
        text = self._buffer
        best: tuple[int, int] | None = None
        for place in dict.fromkeys(places):
            before = text[:place].split()[-1] if text[:place].split() else ""
            rest = text[place:].split()
            after = rest[0] if rest else following
            if len(text[:place].strip()) < self._limits.first_chars or not self._may_part(
                before, after
            ):
                continue
            rank = 1 if after.lower().strip(".,;:!?") in _OPENING else 0
            if best is None or (rank, place) > best:
                best = (rank, place)
        return best[1] if best is not None else None

    def _may_part(self, before: str, after: str) -> bool:
        if re.search(r"[\d€$£%]", before) or re.match(r"[^\w\s]*\d|[€$£%&=+×/:;!?»)]", after):
            return False  # a number keeps its neighbours: 1 299,95 €, 21 °C, taille 42
        if self._nouns_have_capitals and after[:1].isupper() and before[:1].islower():
            return False  # ein schöner | Tisch
        word = before.lower().strip("\"'’«»“”()*_")
        abbreviated = word.endswith(".")
        return word not in _CLINGING and not abbreviated and not word.endswith(("'", "’"))


def _word_ends(text: str) -> list[int]:
    """Return the place behind each word of ``text``."""
    return [match.end() for match in re.finditer(r"\S+", text) if re.search(r"\w", match[0])]
