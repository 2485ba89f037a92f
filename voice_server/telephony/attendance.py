"""Who of the staff is in one call: listening, speaking to the caller, or to a colleague.

Everything is audited: a line in the log, an event in the store, and an entry in the call's record.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from voice_server.audio.pcm import Audio, encode_pcm16
from voice_server.records import Event
from voice_server.telephony.flow_human import Refusal
from voice_server.telephony.monitor import Monitor, Side, Watcher

if TYPE_CHECKING:
    from voice_server.telephony.session import CallSession

log = logging.getLogger(__name__)


class Attendance:
    """People in one call. Used in the event loop."""

    def __init__(self, session: CallSession, monitor: Monitor) -> None:
        """Nobody is there yet."""
        self._session = session
        self.monitor = monitor
        self._listening: dict[Watcher, dict[str, Any]] = {}
        self._waiting: set[Watcher] = set()
        self._speaker: Watcher | None = None
        self._speaking: dict[str, Any] | None = None
        self._notes = 0
        self.log: list[dict[str, Any]] = []
        """For the record: agent, did, at, seconds."""

    @property
    def listeners(self) -> list[str]:
        """Names of who listens now, for the list of calls."""
        return [entry["agent"] for entry in self._listening.values()]

    # -------------------------------------------------------------- listening

    def listen(self, watcher: Watcher, agent: str) -> Refusal:
        """Let somebody hear the call, as soon as its line allows it."""
        flow = self._session.flow
        if refusal := flow.may_listen():
            self._event("call.listening_refused", agent, {"why": refusal})
            return refusal
        if watcher in self._listening:
            return ""
        self._listening[watcher] = self._begin(agent, "listened")
        self._event("call.listened", agent, {"began": True})
        if flow.open_to_listeners:
            self._open(watcher)
        else:
            self._waiting.add(watcher)
            self._session.carry_out(flow.listen(self._session.now()))
        self.monitor.changed()
        return ""

    def opened(self) -> None:
        """The caller has been told."""
        for watcher in self._waiting:
            self._open(watcher)
        self._waiting.clear()

    def _open(self, watcher: Watcher) -> None:
        self.monitor.hear(watcher)
        watcher.opened(self.monitor.call_id)

    def stop_listening(self, watcher: Watcher) -> None:
        """Somebody has heard enough. Idempotent."""
        entry = self._listening.pop(watcher, None)
        self._waiting.discard(watcher)
        if watcher is not self._speaker:
            self.monitor.ears.discard(watcher)
        if entry is not None:
            self._end(entry)
            self._event("call.listened", entry["agent"], {"seconds": entry["seconds"]})
            self.monitor.changed()

    # --------------------------------------------------------------- speaking

    def take_over(self, watcher: Watcher, agent: str) -> Refusal:
        """Let somebody speak with the caller in the assistant's place."""
        flow = self._session.flow
        if refusal := flow.may_take_over():
            return refusal
        self._speaker, self._speaking = watcher, self._begin(agent, "took over")
        self._event("call.taken_over", agent, {"began": True})
        self._note("taken", agent)
        self._session.carry_out(flow.take_over(agent, self._session.now()))
        self.monitor.hear(watcher)  # the caller speaks with them: no consent is needed
        watcher.opened(self.monitor.call_id)
        self.monitor.changed()
        return ""

    def give_back(self, watcher: Watcher) -> bool:
        """Let the assistant go on; False if it was not theirs to give."""
        if watcher is not self._speaker:
            return False
        self._stop_speaking()
        self._session.carry_out(self._session.flow.give_back(self._session.now()))
        self.monitor.changed()
        return True

    def _stop_speaking(self) -> None:
        watcher, entry = self._speaker, self._speaking
        self._speaker = self._speaking = None
        if watcher is None or entry is None:
            return
        self._end(entry)
        self._event("call.taken_over", entry["agent"], {"seconds": entry["seconds"]})
        self._note("given", entry["agent"])
        if watcher not in self._listening:
            self.monitor.ears.discard(watcher)

    def speaks(self, watcher: Watcher) -> bool:
        """Whether the call is theirs."""
        return watcher is self._speaker

    def speak(self, watcher: Watcher, audio: Audio) -> None:
        """Their microphone, float32 [n] at 24 kHz: to the caller, and to who listens."""
        if watcher is not self._speaker:
            return
        session = self._session
        effects = session.flow.speak(audio, session.now())
        if effects:
            session.carry_out(effects)
            pcm = encode_pcm16(audio)
            for ear in self.monitor.ears - {watcher}:
                ear.sound(self.monitor.call_id, Side.SHOP, pcm)

    # ---------------------------------------------------------------- whisper

    def whisper(self, watcher: Watcher, audio: Audio) -> None:
        """Speak to the colleague who has the call; the caller hears nothing."""
        if self._speaker is not None and watcher in self._listening:
            self._speaker.sound(self.monitor.call_id, Side.WHISPER, encode_pcm16(audio))

    def prompt(self, agent: str, text: str) -> None:
        """Write a line that only the staff sees."""
        self._notes += 1
        self._event("call.noted", agent, {})
        self.monitor.note(f"note_{self._notes}", f"{agent}: {text}")

    # ---------------------------------------------------------------- leaving

    def leave(self, watcher: Watcher) -> None:
        """A page is gone: the caller is not left alone with silence. Idempotent."""
        self.stop_listening(watcher)
        self.give_back(watcher)
        self.monitor.leave(watcher)

    def end(self) -> None:
        """The call is over."""
        for watcher in list(self._listening):
            self.stop_listening(watcher)
        self._stop_speaking()
        for watcher in list(self.monitor.watchers):
            watcher.gone(self.monitor.call_id)

    def transfer(self, agent: str, *, blind: bool) -> bool:
        """Bring the caller to the line's human, or blindly into its queue; False if it has none."""
        flow, now = self._session.flow, self._session.now()
        effects = flow.return_to_queue(now) if blind else flow.send_on(now)
        if not effects:
            return False
        self.did(agent, "returned to queue" if blind else "transferred")
        self._stop_speaking()
        self._session.carry_out(effects)
        return True

    def did(self, agent: str, what: str) -> None:
        """Note what somebody did at once: a hang-up, a transfer."""
        self.log.append({"agent": agent, "did": what, "at": _now(), "seconds": 0.0})
        self._event(f"call.{what.replace(' ', '_')}", agent, {})

    # -------------------------------------------------------------- internals

    def _note(self, key: str, agent: str) -> None:
        self._notes += 1
        self.monitor.note(f"note_{self._notes}", f"{{{key}}} {agent}")

    def _begin(self, agent: str, did: str) -> dict[str, Any]:
        entry = {"agent": agent, "did": did, "at": _now(), "seconds": 0.0}
        entry["_since"] = self._session.now()
        self.log.append(entry)
        return entry

    def _end(self, entry: dict[str, Any]) -> None:
        entry["seconds"] = round(self._session.now() - entry.pop("_since"), 1)

    def _event(self, kind: str, agent: str, payload: dict[str, Any]) -> None:
        session = self._session
        log.info("call %s: %s by %s %s", session.id, kind, agent, payload or "")
        books = session.books
        if books is not None:
            shop = session.flow.line.shop if session.flow.line is not None else ""
            what = {"agent": agent, **payload}
            books.append(Event(session.id, shop, kind, what, datetime.now(UTC)))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
