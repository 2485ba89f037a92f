"""Loading a shop pack: a folder of files that a shop owner edits, checked before it is used.

======================  ==========================================================================
shop.toml               name, languages, contact, hours, voices, greeting, delivery, returns, ...
products.csv            one product a line; ``products.<language>.csv`` hold its texts
variants.csv            colours, sizes, stock
categories.csv          kinds of products and the words for them
policies/<language>.md  ``## key: Title`` and some sentences; ``{returns.days}`` is filled in
faq.yaml                approved answers
orders.csv              orders (optional)
colours.csv             more colours (optional)
pictures/               what the cards show
======================  ==========================================================================
"""

from __future__ import annotations

import hashlib
import zoneinfo
from collections.abc import Mapping
from datetime import date
from importlib import resources
from pathlib import Path

import voice_server
from voice_server.shop import wording
from voice_server.shop.markets import Market
from voice_server.shop.pack_policies import read_faq, read_orders, read_policies, read_sections
from voice_server.shop.pack_products import Vocabulary, read_catalogue
from voice_server.shop.pack_reader import (
    PackError,
    Problem,
    Problems,
    Row,
    Section,
    read_table,
    read_toml,
    read_yaml,
)
from voice_server.shop.pack_review import review
from voice_server.shop.phone import read_phone
from voice_server.shop.policies import FaqEntry, PolicySection
from voice_server.shop.shop import Shop, ShopText
from voice_server.shop.taste import read_familiar, read_tastes

_TEXT_FILES = (".toml", ".csv", ".md", ".yaml")


def resolve(pack: str) -> Path:
    """Return the folder of a pack given as a path or as the name of a bundled one.

    Raises:
        FileNotFoundError: there is neither; the text says where was looked.
    """
    given = Path(pack).expanduser()
    if (given / "shop.toml").is_file():
        return given.resolve()
    package = Path(voice_server.__file__).parent
    bundled = [package / "_assets" / "shops" / pack, package.parent / "shops" / pack]
    for folder in bundled:
        if (folder / "shop.toml").is_file():
            return folder
    raise FileNotFoundError(
        f"there is no shop pack {pack!r}: {given.resolve()} has no shop.toml, "
        "and no bundled pack has that name (there is 'demo')"
    )


def load(folder: Path) -> Shop:
    """Read, check and return a shop.

    Raises:
        PackError: the pack has errors; all of them are named with file, line and remedy.
    """
    shop, problems = _read(folder)
    if shop is None:
        raise PackError(folder, problems)
    return shop


def check(
    folder: Path, *, today: date | None = None, voices: Mapping[str, str] | None = None
) -> list[Problem]:
    """Return everything that is wrong with a pack, errors and warnings, by file and line.

    Args:
        folder: the pack.
        today: dates before it are stale; None is the present day.
        voices: ids of the voices that may be installed, with their language; None checks none.
    """
    return inspect(folder, today=today, voices=voices)[1]


def inspect(
    folder: Path, *, today: date | None = None, voices: Mapping[str, str] | None = None
) -> tuple[Shop, list[Problem]]:
    """Return what was understood of a pack, however broken, and all its problems.

    The shop is for counting only: :func:`load` gives one that can be served.
    """
    shop, problems, root = _parse(folder)
    review(folder, root, shop, problems, today=today or date.today(), voices=voices)
    unique = dict.fromkeys(problems.found)  # one cell may be read twice
    return shop, sorted(unique, key=lambda problem: (problem.file, problem.line))


def read_checked(folder: Path) -> tuple[Shop, list[Problem]]:
    """Return a shop that can be served, and the warnings about its pack.

    Raises:
        PackError: the pack has errors.
    """
    shop, problems = inspect(folder)
    if any(problem.severity == "error" for problem in problems):
        raise PackError(folder, problems)
    return shop, problems


def _read(folder: Path) -> tuple[Shop | None, list[Problem]]:
    shop, problems, _ = _parse(folder)
    return (None if problems.fatal else shop), problems.found


def _parse(folder: Path) -> tuple[Shop, Problems, Section]:
    problems = Problems()
    root = read_toml(folder, "shop.toml", problems)
    about = root.section("shop")
    languages = _languages(about)
    market = _market(about)
    colours = _vocabulary(folder, "colours.csv", languages, problems)
    payments = {
        language: {key: words[0] for key, words in table.items()}
        for language, table in _bundled("payments.csv", languages, problems).items()
    }
    url = about.text("url", "").rstrip("/")
    catalogue = read_catalogue(folder, languages, colours, url, problems)
    policies = read_policies(root, payments[languages[0]], problems)
    name = about.text("name")
    values = {
        language: wording.values(policies, market, payments[language], name, language)
        for language in languages
    }
    sections: dict[str, tuple[PolicySection, ...]] = {
        language: read_sections(
            folder,
            language,
            values[language],
            required=language == languages[0],
            problems=problems,
        )
        for language in languages
    }
    faq: dict[str, tuple[FaqEntry, ...]] = read_faq(
        read_yaml(folder, "faq.yaml", problems), "faq.yaml", languages, values, problems
    )
    orders = read_orders(folder, root, catalogue, market, problems)
    texts = _texts(root, languages)
    voices = root.section("voices", required=False)
    shop = Shop(
        id=about.text("id"),
        name=name,
        url=url,
        folder=folder,
        languages=languages,
        market=market,
        tone=about.text("tone", ""),
        voices={key: voices.text(key) for key in voices.data},
        texts=texts,
        catalogue=catalogue,
        orders=orders,
        policies=policies,
        sections=sections,
        faq=faq,
        colours=colours,
        fingerprint=_fingerprint(folder),
        phone=read_phone(root, languages, problems),
        tastes=read_tastes(root),
        familiar=read_familiar(root, market.country, languages),
    )
    return shop, problems, root


def _languages(about: Section) -> tuple[str, ...]:
    languages = about.texts("languages")
    known = tuple(language for language in languages if language in wording.LANGUAGES)
    for language in languages:
        if language not in known:
            about.error(
                "languages",
                f"the language '{language}' is not spoken yet",
                f"use {', '.join(wording.LANGUAGES)}",
            )
    if not known:
        about.error("languages", "no language is named", 'write languages = ["fr", "nl"]')
        return ("en",)
    return known


def _market(about: Section) -> Market:
    country, currency = about.text("country"), about.text("currency")
    timezone = about.text("timezone")
    try:
        zoneinfo.ZoneInfo(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        about.error("timezone", f"no such time zone: '{timezone}'", 'write "Europe/Brussels"')
    try:
        return Market(country, currency, timezone)
    except NotImplementedError:
        about.error("country", f"no calendar for country '{country}'", 'write a code such as "BE"')
        return Market("BE", currency, timezone)


def _texts(root: Section, languages: tuple[str, ...]) -> dict[str, ShopText]:
    greeting, description = root.section("greeting"), root.section("description")
    return {
        language: ShopText(greeting.text(language), description.text(language))
        for language in languages
    }


def _bundled(name: str, languages: tuple[str, ...], problems: Problems) -> Vocabulary:
    data = resources.files("voice_server.shop") / "data"
    with resources.as_file(data) as folder:
        return _words(list(read_table(folder, name, ("key",), problems)), languages)


def _vocabulary(
    folder: Path, name: str, languages: tuple[str, ...], problems: Problems
) -> Vocabulary:
    """Return the bundled words with the pack's own on top."""
    own = _words(list(read_table(folder, name, ("key",), problems, required=False)), languages)
    bundled = _bundled(name, languages, problems)
    return {language: {**bundled[language], **own[language]} for language in languages}


def _words(rows: list[Row], languages: tuple[str, ...]) -> Vocabulary:
    return {
        language: {
            row.text("key"): row.items(language) or (row.text("key"),)
            for row in rows
            if row.text("key", required=True)
        }
        for language in languages
    }


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in _TEXT_FILES:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
