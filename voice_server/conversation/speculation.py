"""When may a reply that was begun before the turn was committed be used?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from voice_server.dialogue.dialogue import ReplyRequest


class SpeculationState(Enum):
    """Life of a speculative reply."""

    NONE = auto()
    RUNNING = auto()
    USED = auto()


@dataclass(slots=True)
class Speculation:
    """Holds at most one speculative reply and decides whether it still answers the turn.

    It may be used only if transcript, history, instructions and tools are what they were when it
    began (equality of the requests but for ``speculative`` and the reply's id): anything else
    could answer another question, or with tools that are gone.
    """

    state: SpeculationState = SpeculationState.NONE
    generation: int = -1
    _key: tuple[object, ...] | None = None

    @staticmethod
    def key(request: ReplyRequest) -> tuple[object, ...]:
        """Return what two requests must share for one reply to serve both."""
        return (
            request.history,
            request.detected_language,
            request.instructions,
            tuple((tool.name, tool.description, repr(tool.parameters)) for tool in request.tools),
            request.tool_choice,
            request.max_output_tokens,
            request.out_of_band,
        )

    def begin(self, generation: int, request: ReplyRequest) -> None:
        """A speculative reply to ``request`` starts."""
        self.state = SpeculationState.RUNNING
        self.generation = generation
        self._key = self.key(request)

    def drop(self) -> None:
        """The speculative reply is cancelled or was never needed."""
        self.state = SpeculationState.NONE
        self._key = None

    def use(self, generation: int, request: ReplyRequest) -> bool:
        """Return whether the running reply answers the committed ``request``; if so it is used."""
        if (
            self.state is SpeculationState.RUNNING
            and self.generation == generation
            and self._key == self.key(request)
        ):
            self.state = SpeculationState.USED
            return True
        return False
