"""Our own sentences in a call, and the ways it ends: a human, the last words, the end. Sans-I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from voice_server.conversation import orders as o
from voice_server.ids import IdFactory
from voice_server.telephony import call as c
from voice_server.telephony.flow_state import (
    FAULTS_TOLD,
    LAST_WORDS_S,
    Effect,
    Log,
    Over,
    Stage,
    Tally,
)
from voice_server.telephony.line import Line
from voice_server.telephony.phrases import PhonePhrase, phrase


class Ending:
    """What :class:`~.flow.CallFlow` says by itself, and how it leaves."""

    def __init__(self, new_id: IdFactory) -> None:
        """Wait for a call; nothing is said yet."""
        self._new_id = new_id
        self.stage = Stage.WAITING
        self.line: Line | None = None
        self.language = ""
        self.tally = Tally()
        self._words: deque[tuple[str, str]] = deque()
        self._saying = ""
        self._goal: c.Transfer | c.HangUp | None = None
        self._wish: Mapping[str, str] | None = None
        self._deadlines: dict[str, float] = {}

    def hand_over(self, details: Mapping[str, str], now: float) -> list[Effect]:
        """Bring the caller to a human, with some words first; or say that there is none."""
        if self.stage is Stage.WAITING or self.line is None:
            return []
        if isinstance(self._goal, c.Transfer):
            return []  # on the way already
        target = self.line.human
        if not target:
            return self._say(PhonePhrase.NOBODY) if self.stage is Stage.TALKING else []
        given = {"language": self.language, **details}
        return self._leave(c.Transfer(target, given), PhonePhrase.CONNECTING, now)

    def hand_over_after_reply(self, details: Mapping[str, str], now: float) -> bool:
        """Bring the caller to a human once the present reply, which says so, has been heard.

        Returns False, and does nothing, if this line has no human.
        """
        if self.stage is not Stage.TALKING or self.line is None or not self.line.human:
            return False
        self._wish = details
        self._deadlines["wish"] = now + LAST_WORDS_S
        return True

    def end(self, reason: str, now: float) -> list[Effect]:
        """Hang up now: the server stops, or an operator wants it."""
        if self.stage is Stage.OVER:
            return []
        return [c.HangUp(reason), *self._finish(reason, now)]

    def _as_wished(self, *, heard: bool, now: float) -> list[Effect]:
        """The dialogue has announced the human; where it was not heard, we say it."""
        wish, self._wish = self._wish, None
        self._deadlines.pop("wish", None)
        if wish is None or self.line is None or self.stage is not Stage.TALKING:
            return []
        if not heard:
            return self.hand_over(wish, now)
        self._goal = c.Transfer(self.line.human, {"language": self.language, **wish})
        return self._go(now)

    def _say(self, which: PhonePhrase) -> list[Effect]:
        self._words.append((phrase(which, self.language), self.language))
        return self._next_words() if not self._saying else []

    def _next_words(self) -> list[Effect]:
        """Say the next of our own sentences; the greeting cannot be interrupted: it discloses."""
        if not self._words:
            return []
        text, language = self._words.popleft()
        self._saying = self._new_id("resp")
        greeting = self.line is not None and text in self.line.greetings.values()
        return [o.Say(self._saying, text, language, interruptible=not greeting)]

    def _leave(self, goal: c.Transfer | c.HangUp, words: PhonePhrase, now: float) -> list[Effect]:
        self.stage = Stage.LEAVING
        self._goal = goal
        self._words.clear()
        self._saying = ""
        self._deadlines["leave"] = now + LAST_WORDS_S
        self._saying = self._new_id("resp")
        text = phrase(words, self.language)
        return [o.Say(self._saying, text, self.language, interruptible=False)]

    def _go(self, now: float) -> list[Effect]:
        goal = self._goal
        assert goal is not None, "called when leaving"  # noqa: S101
        if isinstance(goal, c.HangUp):
            return self.end(goal.reason, now)
        self.tally.transferred_to = goal.target
        return [goal, *self._finish("transferred", now)]

    def _give_up(self, reason: str, now: float) -> list[Effect]:
        return [Log(reason, "warning"), *self.end(reason, now)]

    def _finish(self, reason: str, now: float) -> list[Effect]:
        self.stage = Stage.OVER
        self.tally.ended_at = now
        self.tally.reason = reason
        untold = self.tally.faults - FAULTS_TOLD
        more: list[Effect] = [Log(f"{untold} more faults", "warning")] if untold > 0 else []
        return [*more, Over(reason)]
