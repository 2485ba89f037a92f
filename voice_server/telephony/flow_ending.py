"""Our own sentences in a call, and the ways it ends: a human, the last words, the end. Sans-I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from voice_server.conversation import orders as o
from voice_server.ids import IdFactory
from voice_server.telephony import call as c
from voice_server.telephony.briefing import brief, last_words, screen
from voice_server.telephony.flow_state import (
    FAULTS_TOLD,
    LAST_WORDS_S,
    TRANSFER_S,
    Effect,
    Log,
    Mute,
    Over,
    Stage,
    Tally,
)
from voice_server.telephony.line import Line, masked
from voice_server.telephony.phrases import PhonePhrase, phrase


class Ending:
    """What :class:`~.flow.CallFlow` says by itself, and how it leaves."""

    def __init__(self, features: c.Features, new_id: IdFactory) -> None:
        """Wait for a call; nothing is said yet."""
        self._features = features
        self._new_id = new_id
        self.started: c.Started | None = None
        self.codec: c.Codec | None = None
        """The line's now."""
        self.stage = Stage.WAITING
        self.line: Line | None = None
        self.language = ""
        self.tally = Tally()
        self._words: deque[tuple[str, str]] = deque()
        self._saying = ""
        self._goal: c.Transfer | c.HangUp | None = None
        self._wish: Mapping[str, str] | None = None
        self._deadlines: dict[str, float] = {}
        self._opening: tuple[str, ...] = ()
        """First sentences of a call that we place, or of a message."""
        self._said: deque[str] = deque(maxlen=3)
        """The caller's last words, for the human."""

    def hand_over(self, details: Mapping[str, str], now: float) -> list[Effect]:
        """Bring the caller to a human, with some words first; or say that there is none."""
        if self.stage in (Stage.WAITING, Stage.OVER) or self.line is None:
            return []
        if isinstance(self._goal, c.Transfer) or self.stage is Stage.HUMAN:
            return []  # on the way already, or there
        if not self.line.human:
            return self._say(PhonePhrase.NOBODY) if self.stage is Stage.TALKING else []
        return self._leave(self._transfer(details), PhonePhrase.CONNECTING, now)

    def send_on(self, now: float) -> list[Effect]:
        """Bring the caller to the line's human because somebody at the console wants it.

        Returns [] where there is none, or they are on the way.
        """
        if self.line is None or not self.line.human:
            return []
        if self.stage not in (Stage.TALKING, Stage.HUMAN):
            return []
        goal = self._transfer({"reason": "operator"})
        return self._leave(goal, PhonePhrase.CONNECTING, now)

    def return_to_queue(self, now: float) -> list[Effect]:
        """Put the caller back into the line's queue, blindly: nobody is told anything.

        From a person at the console too.  Returns [] where the line has neither queue nor human.
        """
        line = self.line
        if line is None or self.stage not in (Stage.TALKING, Stage.HUMAN):
            return []
        target = line.queue or line.human
        if not target:
            return []
        self.tally.handed_off = self.tally.handed_off or "queue"
        goal = c.Transfer(target, {"language": self.language, "reason": "queue"}, warm=False)
        return self._leave(goal, PhonePhrase.CONNECTING, now)

    def transferred(self, event: c.Transferred, now: float) -> list[Effect]:
        """The line tells what became of a transfer: goodbye, or back to us with words."""
        if self.stage is not Stage.TRANSFERRING:
            return []
        self._deadlines.pop("transfer", None)
        self.tally.transfers[-1]["result"] = event.result
        if event.reached:
            return [c.HangUp("transferred"), *self._finish("transferred", now)]
        return [
            Log(f"the transfer failed: {event.result}", "warning"),
            *self._back(),
        ]

    def _back(self) -> list[Effect]:
        self.stage, self._goal = Stage.TALKING, None
        self.tally.transferred_to = ""
        self._saying = ""
        return [Mute(on=False), *self._say(PhonePhrase.BACK)]

    def _transfer_over(self, now: float) -> list[Effect]:
        return self.transferred(c.Transferred(False, "no answer from the exchange"), now)

    def _transfer(self, details: Mapping[str, str]) -> c.Transfer:
        """Return the transfer to the line's human, with what they should know."""
        assert self.line is not None, "called in a call"  # noqa: S101
        self.tally.handed_off = self.tally.handed_off or details.get("reason", "wish")
        given = {"language": self.language, **details}
        given.setdefault(
            "summary", brief(self.line.staff_language, self.language, given, self._said)
        )
        if self._said:
            given["said"] = last_words(self._said)
        return c.Transfer(self.line.human, screen(given))

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
        self._goal = self._transfer(wish)
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
        greeting = self.line is not None and text in (*self._opening, *self.line.greetings.values())
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

    def _last_words(self, now: float) -> list[Effect]:
        return [Log("the last words took too long", "warning"), *self._go(now)]

    def _go(self, now: float) -> list[Effect]:
        goal = self._goal
        assert goal is not None, "called when leaving"  # noqa: S101
        if isinstance(goal, c.HangUp):
            return self.end(goal.reason, now)
        self.tally.transferred_to = goal.target
        self.tally.transfers.append(
            {"target": masked(goal.target), "warm": goal.warm, "result": ""}
        )
        if self._features.reports_transfer:
            self.stage = Stage.TRANSFERRING
            self._deadlines.pop("leave", None)
            self._deadlines["transfer"] = now + TRANSFER_S
            return [goal]
        return [goal, *self._finish("transferred", now)]

    def _fault(self, event: c.Fault, now: float) -> list[Effect]:
        self.tally.faults += 1
        if event.fatal:
            return [
                Log(f"{event.text}: the call is ended", "warning"),
                *self.end("protocol error", now),
            ]
        if self.tally.faults > FAULTS_TOLD:
            return []
        return [Log(event.text, "warning")]

    def _give_up(self, reason: str, now: float) -> list[Effect]:
        return [Log(reason, "warning"), *self.end(reason, now)]

    def _finish(self, reason: str, now: float) -> list[Effect]:
        self.stage = Stage.OVER
        self.tally.ended_at = now
        self.tally.reason = reason
        untold = self.tally.faults - FAULTS_TOLD
        more: list[Effect] = [Log(f"{untold} more faults", "warning")] if untold > 0 else []
        return [*more, Over(reason)]
