"""The shop's dialogue: facts first, a language model where it helps, always a sentence to say.

Who answers (``llm_leads``, see :class:`DialogueOptions`):

================  ==========================  =============================================
model             answer from the facts       then
================  ==========================  =============================================
none, or down     sure                        the answer from templates
none, or down     not sure                    the fallback: what the facts do say, or a human
embedded          sure                        templates; the model is not asked
embedded          not sure                    an opener at once, the model behind the gate
endpoint          confidence >= 0.9           templates (faster, and never wrong)
endpoint          below                       the model, with the facts; templates behind it
================  ==========================  =============================================

Under a client's own instructions the model leads whatever the confidence, the gate is relaxed to
the numbers of instructions, tool results, facts and the talk itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from voice_server.dialogue.dialogue import Clause
from voice_server.dialogue.flows.shop_flows import ShopFlows
from voice_server.dialogue.gates import Identify
from voice_server.dialogue.guards.packs import GuardPack, load_guards
from voice_server.dialogue.language import LanguageTracker
from voice_server.dialogue.llm.model import LanguageModel
from voice_server.dialogue.locales import AVAILABLE
from voice_server.dialogue.phrases import Phrases
from voice_server.dialogue.prompt import EMBEDDED_BUDGET, ENDPOINT_BUDGET, PromptMaker, ShopIdentity
from voice_server.dialogue.prompts.registry import PromptRegistry
from voice_server.dialogue.recollection import Records
from voice_server.dialogue.reply import Splitter
from voice_server.dialogue.resources import DialogueOptions, Knowledge, Resources
from voice_server.dialogue.shop_session import ShopSession
from voice_server.ids import IdFactory, new_id


class ShopDialogue:
    """Implements :class:`voice_server.dialogue.dialogue.Dialogue` for one shop."""

    def __init__(
        self,
        shop: ShopIdentity,
        languages: Sequence[str],
        knowledge: Knowledge,
        identify: Identify,
        splitter: Callable[[str], Splitter],
        *,
        model: LanguageModel | None = None,
        options: DialogueOptions | None = None,
        flows: ShopFlows | None = None,
        records: Records | None = None,
        prompts: PromptRegistry | None = None,
        guards: Mapping[str, GuardPack] | None = None,
        new_id: IdFactory = new_id,
    ) -> None:
        """Put the parts together.

        ``languages`` are the shop's, default first; ``splitter`` makes a clause splitter for a
        language (:class:`voice_server.speech.clauses.ClauseSplitter`); ``model`` None answers
        from facts only; ``flows`` None changes nothing for anybody.  ``records`` remember and
        report the turns; ``prompts`` say which wording a session's model is asked with, else the
        default one; ``guards`` decline topics by language, None stands for the bundled ones.
        """
        self._records = records or Records()
        self._registry = prompts
        self.languages = tuple(languages)
        self.phrases = Phrases(shop.name, shop.greetings, shop.familiar)
        """The fixed sentences, for the phrase cache to warm (:meth:`Phrases.all_fixed`)."""
        embedded = model is None or model.embedded
        self._resources = Resources(
            shop=shop.name,
            languages=self.languages,
            knowledge=knowledge,
            identify=identify,
            splitter=splitter,
            model=model,
            prompts=PromptMaker(
                shop,
                EMBEDDED_BUDGET if embedded else ENDPOINT_BUDGET,
                native_tools=not embedded,
            ),
            phrases=self.phrases,
            options=options or DialogueOptions(),
            new_id=new_id,
            flows=flows,
            guards=_guards(self.languages) if guards is None else guards,
        )

    def open(self, session_id: str, *, language: str | None = None) -> ShopSession:
        """Open a session; a language the shop does not serve counts as no wish."""
        wished = language if language in self.languages else None
        tracker = LanguageTracker(
            self.languages, wished or self.languages[0], wished=wished is not None
        )
        flows = self._resources.flows
        flow_session = flows.open(session_id) if flows is not None else None
        session = ShopSession(
            lambda: self._resources_for(session_id),
            tracker,
            flow_session,
            session_id=session_id,
            records=self._records,
        )
        session.resume()
        return session

    def _resources_for(self, session_id: str) -> Resources:
        """Return what holds now, with the session's own prompt version."""
        if self._registry is None:
            return self._resources
        version = self._registry.assign(session_id)
        return replace(self._resources, prompts=replace(self._resources.prompts, version=version))

    def fixed(self, language: str) -> tuple[Clause, ...]:
        """Return what is always said alike in a language, for the phrase cache."""
        flows = self._resources.flows
        return self.phrases.all_fixed(language) + (flows.fixed(language) if flows else ())

    async def close(self) -> None:
        """Wait for writes and hand-offs that outlived their replies; each has its deadline."""
        if self._resources.flows is not None:
            await self._resources.flows.close()

    def renew(
        self,
        shop: ShopIdentity,
        languages: Sequence[str],
        knowledge: Knowledge,
        flows: ShopFlows | None = None,
        guards: Mapping[str, GuardPack] | None = None,
    ) -> None:
        """Answer from another version of the shop's pack, in open sessions too.

        ``flows`` and ``guards`` None keep those there are.  Replies that have begun end with what
        they began with.  Called in the loop: no turn sees half of it.
        """
        if flows is not None and self._resources.flows is not None:
            flows.succeed(self._resources.flows)
        self.languages = tuple(languages)
        self.phrases = Phrases(shop.name, shop.greetings, shop.familiar)
        self._resources = replace(
            self._resources,
            shop=shop.name,
            languages=self.languages,
            knowledge=knowledge,
            prompts=replace(self._resources.prompts, shop=shop),
            phrases=self.phrases,
            flows=flows or self._resources.flows,
            guards=self._resources.guards if guards is None else guards,
        )


def _guards(languages: Sequence[str]) -> Mapping[str, GuardPack]:
    """Return the bundled guards of the languages that have any."""
    return {language: load_guards(language) for language in languages if language in AVAILABLE}


__all__ = ["ShopDialogue", "ShopSession"]
