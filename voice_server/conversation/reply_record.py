"""What a reply leaves behind: its item in the history, and the notices of its beginning and end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from voice_server.conversation import notices as n
from voice_server.conversation.reply import ReplyRun
from voice_server.conversation.transcript import History, Item, UnknownItem, heard_text
from voice_server.dialogue.dialogue import ReplyEnd


class ReplyRecord:
    """Writes replies down as they were heard; an out-of-band reply leaves no item."""

    def __init__(
        self,
        history: History,
        emit: Callable[[n.Notice], None],
        new_id: Callable[[str], str],
    ) -> None:
        """All of one conversation."""
        self._history = history
        self._emit = emit
        self._new_id = new_id

    def begin(self, run: ReplyRun) -> None:
        """The reply is part of the conversation from now on."""
        if not run.options.out_of_band:
            self._history.insert(
                Item(
                    run.item_id,
                    role="assistant",
                    content="output_text" if run.as_text else "output_audio",
                    text="",
                    status="in_progress",
                )
            )
        self._emit(n.ReplyStarted(run.reply_id, run.item_id, run.options.out_of_band))

    def calls(self, run: ReplyRun) -> None:
        """Write the reply's tool calls, and tell of them."""
        for call in run.tool_calls:
            item_id = self._new_id("item")
            if not run.options.out_of_band:
                self._history.insert(
                    Item(
                        item_id,
                        kind="function_call",
                        role="assistant",
                        text=call.arguments,
                        call_id=call.call_id,
                        name=call.name,
                    )
                )
            self._emit(n.ReplyToolCall(run.reply_id, item_id, call))

    def write(self, run: ReplyRun, heard_ms: float, language: str, *, whole: bool) -> str:
        """Write the words as they were heard; return them."""
        marks = run.mouth.marks()
        spoken = " ".join(clause.text for clause in run.mouth.clauses)
        text = spoken if whole or run.as_text else heard_text(marks, heard_ms)
        if run.options.out_of_band:
            return text
        try:
            item = self._history.get(run.item_id)
        except UnknownItem:
            return text  # the client deleted it while it was being spoken
        self._history.replace(
            replace(
                item,
                text=text,
                status="completed" if whole else "incomplete",
                language=language,
                marks=marks,
            )
        )
        return text

    def end(
        self, run: ReplyRun, status: n.ReplyStatus, reason: Any, heard_ms: float, error: str = ""
    ) -> None:
        """Tell that the reply is over."""
        try:
            text = self._history.get(run.item_id).text or ""
        except UnknownItem:
            text = " ".join(clause.text for clause in run.mouth.clauses)
        usage = run.end.usage if run.end is not None else ReplyEnd().usage
        self._emit(n.ReplyDone(run.reply_id, status, reason, text, heard_ms, usage, error))
