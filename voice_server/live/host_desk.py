"""What the host asks of a running show beyond the director's inputs: drafts, answers, words."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from voice_server.live import show_events as ev
from voice_server.live.answers import Answerer
from voice_server.live.host_words import Judged, sentences
from voice_server.live.questions import Cluster
from voice_server.live.run_sheet import RunSheet

log = logging.getLogger(__name__)

UNDER_WAY = 8
"""Drafts and judgements at once; the host has two hands."""
PATIENCE_S = 12.0
"""A draft that takes longer is given up: the host types the answer."""

LIVE = frozenset({"price", "stock"})
"""The host's answer may state them: when they change it is cut short, as any other."""

Send = Callable[[dict[str, object]], None]


class Judge(Protocol):
    """Holds the host's words against the facts (``host_words.HostWords``)."""

    def judge(
        self,
        text: str,
        language: str,
        product_id: str,
        *,
        question: str = "",
        asked_in: str = "",
        vouched: bool = False,
    ) -> Judged:
        """Return what becomes of them."""


class HostDesk:
    """Drafts answers, judges the host's words, and gives what may be said to the director."""

    def __init__(
        self,
        sheet: Callable[[], RunSheet],
        answerer: Answerer,
        judge: Judge | None,
        *,
        cluster: Callable[[str], Cluster | None],
        on_screen: Callable[[], str],
        do: Callable[[ev.Input], None],
        tell: Send,
    ) -> None:
        """``tell`` sends to the consoles.  Without a ``judge`` the host's words pass unjudged."""
        self._sheet = sheet
        self._answerer = answerer
        self._judge = judge
        self._cluster = cluster
        self._on_screen = on_screen
        self._do = do
        self._tell = tell
        self._tasks: set[asyncio.Task[None]] = set()

    def draft(self, cluster_id: str) -> None:
        """Find an answer and show it to the host; nothing is said."""
        self._soon(self._draft(cluster_id))

    def answer(self, cluster_id: str, text: str, language: str, *, vouched: bool) -> None:
        """Have the host's answer said next, if it passes."""
        self._soon(self._answer(cluster_id, text, language, vouched=vouched))

    def say(self, text: str, language: str, *, vouched: bool) -> None:
        """Have the host's sentence said at the next sentence end, if it passes."""
        self._soon(self._say(text, language, vouched=vouched))

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        if len(self._tasks) >= UNDER_WAY:
            work.close()
            self._tell({"type": "busy"})
            return
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _draft(self, cluster_id: str) -> None:
        cluster = self._cluster(cluster_id)
        if cluster is None:
            self._tell({"type": "draft", "id": cluster_id, "text": "", "reason": "gone"})
            return
        sheet = self._sheet()
        own = sheet.answer_in_asker_language and cluster.language in sheet.languages
        language = cluster.language if own else sheet.language
        order = ev.PrepareAnswer(cluster_id, cluster.text, language, self._on_screen())
        text, reason = "", ""
        try:
            async with asyncio.timeout(PATIENCE_S):
                found = await self._answerer.answer(order, cluster.language, sheet.languages)
            if isinstance(found, ev.AnswerReady):
                text, language = " ".join(found.sentences), found.language
            else:
                reason = found.reason
        except TimeoutError:
            reason = "slow"
        except Exception:  # the host types it then
            log.exception("an answer could not be drafted")
            reason = "unknown"
        self._tell(
            {"type": "draft", "id": cluster_id, "text": text, "language": language,
             "reason": reason}
        )  # fmt: skip

    async def _answer(self, cluster_id: str, text: str, language: str, *, vouched: bool) -> None:
        cluster = self._cluster(cluster_id)
        if cluster is None:
            self._tell({"type": "refused", "id": cluster_id, "reason": "gone", "detail": ""})
            return
        language = language if language in self._sheet().languages else self._sheet().language
        product = cluster.understood.product_id or self._on_screen()
        said = await self._judged(
            cluster_id, text, language, product, vouched, cluster.text, cluster.language
        )
        if said:
            ready = ev.AnswerReady(cluster_id, tuple(said), language, product, LIVE, by_host=True)
            self._do(ev.HostAnswer(ready))
            self._tell({"type": "accepted", "id": cluster_id})

    async def _say(self, text: str, language: str, *, vouched: bool) -> None:
        language = language if language in self._sheet().languages else self._sheet().language
        said = await self._judged("", text, language, self._on_screen(), vouched)
        for sentence in said:
            self._do(ev.Say(sentence, language))
        if said:
            self._tell({"type": "accepted", "id": ""})

    async def _judged(
        self,
        ident: str,
        text: str,
        language: str,
        product: str,
        vouched: bool,
        question: str = "",
        asked_in: str = "",
    ) -> Sequence[str]:
        if self._judge is None:
            return tuple(sentences(text, language))
        found = await asyncio.to_thread(
            self._judge.judge,
            text,
            language,
            product,
            question=question,
            asked_in=asked_in,
            vouched=vouched,
        )
        if not found.sentences:
            self._tell(
                {"type": "refused", "id": ident, "reason": found.reason, "detail": found.detail,
                 "may_vouch": found.may_vouch}
            )  # fmt: skip
        elif vouched:
            log.info("said on the host's word")
        return found.sentences
