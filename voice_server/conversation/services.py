"""What a conversation needs from the rest of the server, in one value; made by the app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from voice_server.conversation.turn_state import Deadlines
from voice_server.conversation.vad_batch import VadBatcher
from voice_server.dialogue.dialogue import Dialogue
from voice_server.ids import IdFactory, new_id
from voice_server.speech.engine import EndOfTurn, SpeechToText, TextToSpeech


@dataclass(frozen=True, slots=True)
class Services:
    """Engines and dialogue, shared by all sessions of a shop."""

    vad: VadBatcher
    end_of_turn: EndOfTurn
    stt: SpeechToText
    tts: TextToSpeech
    dialogue: Dialogue
    deadlines: Deadlines = field(default_factory=Deadlines)
    new_id: IdFactory = new_id


@dataclass(frozen=True, slots=True)
class ConversationOptions:
    """What differs between the voice button, the phone and the stage."""

    session_id: str
    input_rate: int = 24_000
    """Hz of the audio given by Hear orders."""
    language: str | None = None
    paced: bool = True
    """False: audio is emitted as soon as it is made (push-to-talk clients that cannot be
    interrupted by voice)."""
    flushes: bool = False
    """The client stops playing at OutputPaused and forgets what it has not played."""
    lead_ms: float = 100.0
    """Speech sent ahead of its playing."""
    piece_ms: float = 40.0
    """Length of one ReplyAudio; 20 for telephony."""
    clock: Callable[[], float] | None = None
    """Monotonic seconds; None: the event loop's clock."""
