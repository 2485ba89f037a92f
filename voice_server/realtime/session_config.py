"""A session's configuration: an update is merged into a candidate, validated, then swapped in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from voice_server.conversation.orders import Configure, ReplyOptions, TurnOptions
from voice_server.dialogue.dialogue import Tool
from voice_server.realtime.effects import WireError
from voice_server.realtime.events import (
    FunctionChoice,
    FunctionTool,
    SemanticVad,
    SessionModel,
    ToolChoice,
    VoiceId,
)
from voice_server.realtime.validation import parse

DEFAULT_VOICE = "default"
"""Wire name of "the best voice for the language that is spoken"."""

OPENAI_VOICES = frozenset(
    {
        *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable"),
        *("marin", "nova", "onyx", "sage", "shimmer", "verse"),
    }
)
"""Names that stock clients send by habit: accepted, and spoken with the default voice."""

_BETA_NAMES = {
    "modalities": "output_modalities",
    "voice": "audio.output.voice",
    "speed": "audio.output.speed",
    "turn_detection": "audio.input.turn_detection",
    "input_audio_format": "audio.input.format",
    "output_audio_format": "audio.output.format",
    "input_audio_transcription": "audio.input.transcription",
    "input_audio_noise_reduction": "audio.input.noise_reduction",
    "max_response_output_tokens": "max_output_tokens",
}

_MERGED = frozenset(
    {
        "audio",
        "audio.input",
        "audio.output",
        "audio.input.format",
        "audio.output.format",
        "audio.input.transcription",
        "audio.input.noise_reduction",
        "audio.input.turn_detection",
    }
)
"""Objects merged field by field; every other value is replaced as a whole."""

_NULLABLE = frozenset(
    {
        "audio.input.transcription",
        "audio.input.noise_reduction",
        "audio.input.turn_detection",
        "audio.input.turn_detection.idle_timeout_ms",
        "tracing",
        "prompt",
        "reasoning",
        "include",
        "parallel_tool_calls",
    }
)
"""Where null is a value of its own; elsewhere null means "back to the default"."""


@dataclass(frozen=True, slots=True)
class SessionDefaults:
    """What the operator and the shop decide before any client speaks."""

    instructions: str = ""
    """The shop's own, shown in ``session.created``; a client may replace them if allowed."""
    allow_instructions: bool = True
    model: str = "voice-server"
    voices: frozenset[str] = frozenset()
    """Voices a client may name besides OpenAI's; the endpoint fills them in."""


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """The effective configuration. Immutable: :meth:`updated` returns another one."""

    defaults: SessionDefaults
    model: SessionModel

    @classmethod
    def initial(cls, defaults: SessionDefaults, *, transcription: bool = False) -> SessionConfig:
        """Return the configuration before any update."""
        values: dict[str, Any] = {"model": defaults.model, "instructions": defaults.instructions}
        if transcription:
            values["type"] = "transcription"
            values["audio"] = {"input": {"transcription": {}}}
        return cls(defaults, SessionModel.model_validate(values))

    def updated(
        self, update: dict[str, Any], *, pristine: bool = True, voice_locked: bool = False
    ) -> SessionConfig:
        """Return this configuration with the fields present in ``update``.

        ``pristine``: nothing was said or written yet, so the session's type may still change.
        ``voice_locked``: audio has sounded, so the voice may not.  Raises WireError; nothing has
        changed then.
        """
        _refuse_beta(update)
        _refuse_unsupported(update)
        update = dict(update)
        if not self.defaults.allow_instructions:
            update.pop("instructions", None)
        blank = SessionConfig.initial(self.defaults).model.model_dump(mode="json")
        current = self.model.model_dump(mode="json")
        model = parse(SessionModel, _merge(current, update, blank, ""), at="session")
        if model.type != self.model.type:
            if not pristine:
                raise WireError(
                    f"A {self.model.type} session cannot become a {model.type} session once it "
                    "has been used. Open another session.",
                    code="invalid_value",
                    param="session.type",
                )
            if model.type == "transcription" and model.audio.input.transcription is None:
                switched = _merge(
                    model.model_dump(mode="json"),
                    {"audio": {"input": {"transcription": {}}}},
                    blank,
                    "",
                )
                model = parse(SessionModel, switched, at="session")
        candidate = replace(self, model=model)
        if candidate.voice != self.voice:
            if voice_locked:
                raise WireError(
                    "Cannot update a conversation's voice if assistant audio is present.",
                    code="cannot_update_voice",
                    param="session.audio.output.voice",
                )
            check_voice(candidate.voice, self.defaults.voices, "session.audio.output.voice")
        return candidate

    @property
    def voice(self) -> str:
        """The voice's wire name."""
        return voice_name(self.model.audio.output.voice)

    @property
    def transcribing(self) -> bool:
        """Whether this is a transcription session."""
        return self.model.type == "transcription"

    @property
    def text_only(self) -> bool:
        """Whether replies are written and not spoken."""
        return self.model.output_modalities == ["text"]

    def effective(self, session_id: str) -> dict[str, Any]:
        """Return the whole configuration as ``session.created`` and ``session.updated`` show it."""
        values = self.model.model_dump(mode="json")
        if self.transcribing:
            return {
                "id": session_id,
                "object": "realtime.transcription_session",
                "type": "transcription",
                "audio": {"input": _without_unset(values["audio"]["input"])},
                "include": values["include"],
            }
        values["audio"]["input"] = _without_unset(values["audio"]["input"])
        values["audio"]["output"]["voice"] = self.voice
        for name in ("reasoning", "parallel_tool_calls"):
            if values[name] is None:
                del values[name]
        return {"id": session_id, "object": "realtime.session", **values}

    def order(self) -> Configure:
        """Return the same configuration in the conversation's words."""
        heard = self.model.audio.input
        transcription = heard.transcription
        output = self.model.audio.output
        hint = ""
        language = None
        languages: tuple[str, ...] = ()
        if transcription is not None:
            language = _primary(transcription.language)
            named = (_primary(code) for code in transcription.languages or ())
            languages = tuple(code for code in named if code)
            hint = " ".join([transcription.prompt or "", *(transcription.keywords or ())]).strip()
        return Configure(
            turns=self._turns(),
            reply=ReplyOptions(
                instructions=allowed_instructions(self.model.instructions, self.defaults),
                modality="text" if self.text_only else "audio",
                voice=engine_voice(self.voice, self.defaults.voices),
                speed=output.speed,
                tools=tools(self.model.tools),
                tool_choice=tool_choice(self.model.tool_choice),
                max_output_tokens=token_limit(self.model.max_output_tokens),
            ),
            language=language,
            languages=languages,
            hint=hint,
            transcribe=transcription is not None,
            reply_enabled=not self.transcribing,
        )

    def _turns(self) -> TurnOptions:
        detection = self.model.audio.input.turn_detection
        if detection is None:
            return TurnOptions(detection="none")
        replies = detection.create_response and not self.transcribing
        if isinstance(detection, SemanticVad):
            return TurnOptions(
                detection="semantic",
                eagerness=detection.eagerness,
                create_response=replies,
                interrupt_response=detection.interrupt_response,
            )
        return TurnOptions(
            detection="server",
            threshold=detection.threshold,
            prefix_padding_ms=detection.prefix_padding_ms,
            silence_ms=detection.silence_duration_ms,
            create_response=replies,
            interrupt_response=detection.interrupt_response,
            idle_timeout_ms=detection.idle_timeout_ms,
        )


def voice_name(voice: str | VoiceId) -> str:
    """Return the name of a voice in either of its wire shapes."""
    return voice.id if isinstance(voice, VoiceId) else voice


def check_voice(name: str, voices: frozenset[str], param: str) -> None:
    """Raise WireError for a voice that neither OpenAI nor we have."""
    if name == DEFAULT_VOICE or name in OPENAI_VOICES or name in voices:
        return
    known = ", ".join(sorted(voices | {DEFAULT_VOICE}))
    raise WireError(
        f"Invalid value: '{name}'. Voices of this server: {known}.",
        code="invalid_value",
        param=param,
    )


def engine_voice(name: str, voices: frozenset[str]) -> str | None:
    """Return the engine's voice for a wire name, None for the language's best."""
    return name if name in voices else None


def allowed_instructions(instructions: str | None, defaults: SessionDefaults) -> str | None:
    """Return a client's instructions if there are any, they differ and the operator allows."""
    if not instructions or not defaults.allow_instructions or instructions == defaults.instructions:
        return None
    return instructions


def tools(wire: list[FunctionTool]) -> tuple[Tool, ...]:
    """Return function tools in the dialogue's words."""
    return tuple(Tool(tool.name, tool.description, tool.parameters) for tool in wire)


def tool_choice(choice: ToolChoice) -> str:
    """Return "auto", "none", "required" or the name of the one function."""
    return choice.name if isinstance(choice, FunctionChoice) else choice


def token_limit(limit: int | str) -> int | None:
    """Return the limit as a number, None for "inf"."""
    return limit if isinstance(limit, int) else None


def refuse_two_modalities(modalities: object, param: str) -> None:
    """Raise WireError for ["text", "audio"], which the protocol's beta had."""
    if isinstance(modalities, list) and len(modalities) != 1:
        raise WireError(
            f"Invalid modalities: {modalities}. Supported combinations are: ['text'] and "
            "['audio']; audio comes with its transcript.",
            code="invalid_value",
            param=param,
        )


def refuse_other_tools(wire: object, param: str) -> None:
    """Raise WireError for tools that are no functions."""
    if not isinstance(wire, list):
        return
    for index, tool in enumerate(wire):
        kind = tool.get("type", "function") if isinstance(tool, dict) else "function"
        if kind != "function":
            raise WireError(
                f"Tools of type '{kind}' are not supported: offer a function tool and call the "
                "service from your own code.",
                code="invalid_value",
                param=f"{param}[{index}].type",
            )


def _refuse_beta(update: dict[str, Any]) -> None:
    for name in update:
        if name in _BETA_NAMES:
            raise WireError(
                f"Unknown parameter: 'session.{name}' (it was the beta's). Use "
                f"'session.{_BETA_NAMES[name]}'.",
                code="unknown_parameter",
                param=f"session.{name}",
            )


def _refuse_unsupported(update: dict[str, Any]) -> None:
    refuse_two_modalities(update.get("output_modalities"), "session.output_modalities")
    refuse_other_tools(update.get("tools"), "session.tools")


def _merge(
    current: dict[str, Any], update: dict[str, Any], blank: dict[str, Any], at: str
) -> dict[str, Any]:
    merged = dict(current)
    for key, value in update.items():
        path = f"{at}.{key}" if at else key
        default = blank.get(key)
        if value is None:
            merged[key] = None if path in _NULLABLE else default
        elif path in _MERGED and isinstance(value, dict):
            base = _base(path, merged.get(key), value)
            merged[key] = _merge(base, value, default if isinstance(default, dict) else {}, path)
        else:
            merged[key] = value
    return merged


def _base(path: str, current: Any, update: dict[str, Any]) -> dict[str, Any]:
    """Return what an object's update is merged into; another ``type`` keeps what both share."""
    old: dict[str, Any] = current if isinstance(current, dict) else {}
    if path == "audio.input.turn_detection":
        if update.get("type", old.get("type")) != old.get("type"):
            old = {key: old[key] for key in ("create_response", "interrupt_response") if key in old}
        return {"type": "server_vad", **old}
    if path.endswith(".format") and update.get("type", old["type"]) != old["type"]:
        return {}
    return old


def _without_unset(heard: dict[str, Any]) -> dict[str, Any]:
    """Leave out the transcription's unset fields: a stock client's reader wants strings there."""
    if heard["transcription"] is not None:
        kept = {key: value for key, value in heard["transcription"].items() if value is not None}
        heard = {**heard, "transcription": kept}
    return heard


def _primary(tag: str | None) -> str | None:
    """Return the primary subtag of a BCP 47 tag ("fr-BE" -> "fr")."""
    if not tag:
        return None
    return tag.replace("_", "-").split("-")[0].lower()
