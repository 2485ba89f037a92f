"""What every turn of a shop's dialogue works with: its facts, its model, its words, its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from voice_server.dialogue.facts import Answer, Context, Fact
from voice_server.dialogue.flows.shop_flows import ShopFlows
from voice_server.dialogue.gates import Identify
from voice_server.dialogue.guards.packs import GuardPack
from voice_server.dialogue.llm.model import LanguageModel
from voice_server.dialogue.phrases import Phrases
from voice_server.dialogue.prompt import PromptMaker
from voice_server.dialogue.reply import Patience, Splitter
from voice_server.ids import IdFactory


class Knowledge(Protocol):
    """The shop's facts, as the dialogue asks for them."""

    def retrieve(
        self, text: str, language: str, context: Context, limit: int = 6
    ) -> Sequence[Fact]:
        """Return the facts nearest to a question, nearest first."""

    def answer(self, text: str, language: str, context: Context) -> Answer | None:
        """Return an answer from templates, or None when not sure."""

    async def refresh(self, text: str, language: str, context: Context) -> None:
        """Look prices and stock up that the answer will speak of; returns within a second."""

    def fallback(self, text: str, language: str, context: Context) -> Answer:
        """Return the best that can honestly be said without a model."""

    def names_hint(self) -> str:
        """Return the names a recogniser should expect."""

    def product_names(self) -> Mapping[str, str]:
        """Return the proper names of the products by their ids."""


@dataclass(frozen=True, slots=True)
class DialogueOptions:
    """What an operator may choose about answering."""

    llm_leads: Literal["auto", "always", "never"] = "auto"
    """"auto": as in the table of :mod:`voice_server.dialogue.manager`. "always": the model is asked
    even for sure answers. "never": it is asked only when the facts have no answer at all."""
    sure: float = 0.9
    """Confidence from which templates answer although a strong model is there: at this level
    they are right, sound from the first millisecond and cost nothing."""
    facts: int = 6
    disclose_first: bool = False
    """Say that an AI speaks before the first answer, unless the user has heard it already (in a
    greeting, for example). A disclosure that was interrupted is said again. Off only where the
    caller is told otherwise."""
    max_tokens: int = 160
    """Three spoken sentences are about 90 tokens in fr, nl, de."""
    max_tokens_general: int = 400
    sentences_general: int = 12
    patience: Patience = Patience()


@dataclass(frozen=True, slots=True)
class Resources:
    """What every turn of a shop works with."""

    shop: str
    """The shop's name."""
    languages: tuple[str, ...]
    knowledge: Knowledge
    identify: Identify
    splitter: Callable[[str], Splitter]
    """Makes a clause splitter for a language."""
    model: LanguageModel | None
    prompts: PromptMaker
    phrases: Phrases
    options: DialogueOptions
    new_id: IdFactory
    flows: ShopFlows | None = None
    """The shop's procedures; None where it has no platform to run them on."""
    guards: Mapping[str, GuardPack] = field(default_factory=dict)
    """Language to what is declined in it."""
