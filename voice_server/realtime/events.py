"""The wire types of the Realtime protocol (GA): client events and the session's configuration.

Unknown fields are ignored, so that a newer SDK's session does not fail here; the names of the
protocol's beta are refused by :mod:`voice_server.realtime.session_config`, because a client that
uses them would otherwise wait for events that never come.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

INSTRUCTIONS_LIMIT = 65_536
"""Characters of instructions: they are echoed in ``session.updated``, which must stay small."""

TOOLS_LIMIT = 128
"""Function tools of a session."""


class WireModel(BaseModel):
    """Base of everything that comes from a client."""

    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())


class PcmFormat(WireModel):
    """16-bit little-endian mono; the protocol knows one rate."""

    type: Literal["audio/pcm"] = "audio/pcm"
    rate: Literal[24000] = 24000


class UlawFormat(WireModel):
    """G.711 µ-law at 8 kHz."""

    type: Literal["audio/pcmu"]


class AlawFormat(WireModel):
    """G.711 A-law at 8 kHz."""

    type: Literal["audio/pcma"]


AudioFormat = Annotated[PcmFormat | UlawFormat | AlawFormat, Field(discriminator="type")]


class Transcription(WireModel):
    """The client wants transcripts; ``model`` is accepted and ignored, ours is the server's."""

    model: str | None = None
    language: str | None = Field(default=None, max_length=16)
    languages: list[str] | None = Field(default=None, max_length=100)
    prompt: str | None = Field(default=None, max_length=INSTRUCTIONS_LIMIT)
    keywords: list[str] | None = Field(default=None, max_length=1000)
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None


class NoiseReduction(WireModel):
    """Accepted and echoed; the recogniser is robust enough to hear the raw microphone."""

    type: Literal["near_field", "far_field"]


class ServerVad(WireModel):
    """Turns end by silence alone."""

    type: Literal["server_vad"] = "server_vad"
    threshold: float = Field(default=0.5, ge=0, le=1)
    prefix_padding_ms: int = Field(default=300, ge=0, le=10_000)
    silence_duration_ms: int = Field(default=500, ge=0, le=30_000)
    create_response: bool = True
    interrupt_response: bool = True
    idle_timeout_ms: int | None = Field(default=None, ge=1000, le=600_000)


class SemanticVad(WireModel):
    """Turns end when the user sounds finished."""

    type: Literal["semantic_vad"]
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


TurnDetection = Annotated[ServerVad | SemanticVad, Field(discriminator="type")]


class AudioInput(WireModel):
    """``session.audio.input``."""

    format: AudioFormat = PcmFormat()
    noise_reduction: NoiseReduction | None = None
    transcription: Transcription | None = None
    turn_detection: TurnDetection | None = ServerVad()


class VoiceId(WireModel):
    """A voice named by an object."""

    id: str = Field(min_length=1, max_length=128)


class AudioOutput(WireModel):
    """``session.audio.output``."""

    format: AudioFormat = PcmFormat()
    voice: Annotated[str, Field(min_length=1, max_length=128)] | VoiceId = "default"
    speed: float = Field(default=1.0, ge=0.25, le=1.5)


class Audio(WireModel):
    """``session.audio``."""

    input: AudioInput = AudioInput()
    output: AudioOutput = AudioOutput()


class FunctionTool(WireModel):
    """A tool that the client will run."""

    type: Literal["function"] = "function"
    name: str = Field(pattern=r"^[a-zA-Z0-9_.-]{1,64}$")
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)


class FunctionChoice(WireModel):
    """The one tool that must be called."""

    type: Literal["function"]
    name: str


ToolChoice = Literal["auto", "none", "required"] | FunctionChoice
Modalities = list[Literal["text", "audio"]]
TokenLimit = Annotated[int, Field(ge=1, le=4096)] | Literal["inf"]
Metadata = dict[
    Annotated[str, Field(max_length=64)],
    Annotated[str, Field(max_length=512)],
]


class SessionModel(WireModel):
    """The whole configuration of a session. What we only echo has no narrow type."""

    type: Literal["realtime", "transcription"] = "realtime"
    model: str = Field(default="voice-server", max_length=256)
    output_modalities: Annotated[Modalities, Field(min_length=1, max_length=1)] = ["audio"]
    instructions: str = Field(default="", max_length=INSTRUCTIONS_LIMIT)
    tools: list[FunctionTool] = Field(default_factory=list, max_length=TOOLS_LIMIT)
    tool_choice: ToolChoice = "auto"
    max_output_tokens: TokenLimit = "inf"
    audio: Audio = Audio()
    tracing: Any = None
    truncation: Any = "auto"
    prompt: Any = None
    reasoning: Any = None
    parallel_tool_calls: bool | None = None
    include: list[str] | None = None


class ResponseAudioOutput(WireModel):
    """``response.audio.output``: what one response may change."""

    format: AudioFormat | None = None
    voice: Annotated[str, Field(min_length=1, max_length=128)] | VoiceId | None = None


class ResponseAudio(WireModel):
    """``response.audio``."""

    output: ResponseAudioOutput | None = None


class ResponseParams(WireModel):
    """``response.create.response``; None means the session's own setting."""

    conversation: str | None = None
    input: list[dict[str, Any]] | None = Field(default=None, max_length=500)
    instructions: str | None = Field(default=None, max_length=INSTRUCTIONS_LIMIT)
    output_modalities: Annotated[Modalities, Field(min_length=1, max_length=1)] | None = None
    audio: ResponseAudio | None = None
    tools: list[FunctionTool] | None = Field(default=None, max_length=TOOLS_LIMIT)
    tool_choice: ToolChoice | None = None
    max_output_tokens: TokenLimit | None = None
    metadata: Metadata | None = Field(default=None, max_length=16)


class ContentPart(WireModel):
    """One part of a message's content."""

    type: str
    text: str | None = None
    transcript: str | None = None
    audio: str | None = None


class ItemModel(WireModel):
    """An item as clients write it; which fields are needed depends on ``type`` and ``role``."""

    type: str
    id: str | None = Field(default=None, min_length=1, max_length=128)
    role: Literal["system", "user", "assistant"] | None = None
    content: list[ContentPart] | None = Field(default=None, max_length=100)
    status: Literal["in_progress", "completed", "incomplete"] | None = None
    call_id: str | None = Field(default=None, max_length=128)
    name: str | None = Field(default=None, max_length=128)
    arguments: str | None = None
    output: str | None = None


class ClientEvent(WireModel):
    """Base of the client events."""

    event_id: str | None = Field(default=None, max_length=512)


class SessionUpdate(ClientEvent):
    """Change the session: only what is present."""

    session: dict[str, Any]


class BufferCommit(ClientEvent):
    """The audio appended so far is the user's turn."""


class BufferClear(ClientEvent):
    """Forget the audio appended so far."""


class OutputClear(ClientEvent):
    """Stop what is sounding."""


class ItemCreate(ClientEvent):
    """Add an item to the history; ``previous_item_id`` "root" means first."""

    item: dict[str, Any]
    previous_item_id: str | None = None


class ItemTruncate(ClientEvent):
    """The user heard so much of an assistant item."""

    item_id: str
    content_index: int = Field(default=0, ge=0)
    audio_end_ms: float = Field(allow_inf_nan=False)


class ItemDelete(ClientEvent):
    """Remove an item."""

    item_id: str


class ItemRetrieve(ClientEvent):
    """Send an item back."""

    item_id: str


class ResponseCreate(ClientEvent):
    """Make a reply now."""

    response: dict[str, Any] | None = None


class ResponseCancel(ClientEvent):
    """Stop a reply; None means the one that is active."""

    response_id: str | None = None


class Playback(ClientEvent):
    """Extension ``playback``: so much has been played."""

    response_id: str
    position_ms: float = Field(ge=0, allow_inf_nan=False)


CLIENT_EVENTS: dict[str, type[ClientEvent]] = {
    "session.update": SessionUpdate,
    "input_audio_buffer.commit": BufferCommit,
    "input_audio_buffer.clear": BufferClear,
    "output_audio_buffer.clear": OutputClear,
    "conversation.item.create": ItemCreate,
    "conversation.item.truncate": ItemTruncate,
    "conversation.item.delete": ItemDelete,
    "conversation.item.retrieve": ItemRetrieve,
    "response.create": ResponseCreate,
    "response.cancel": ResponseCancel,
    "voice_server.playback": Playback,
}
"""Every client event but ``input_audio_buffer.append``, which has a path of its own."""
