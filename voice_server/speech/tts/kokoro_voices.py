"""The voices of Kokoro: mixtures of its styles, the phones lent to them, what they measure like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from voice_server.speech.engine import EngineUnavailable, Quality, Voice
from voice_server.speech.tts.kokoro_weights import Array

ENGINE = "kokoro"
LICENCE = "Apache-2.0"

STATISTICS_FILE = "kokoro-82m.statistics.npz"
"""What the shipped voices measure like, beside their TOML; scripts/dev/kokoro_calibrate.py."""

ROWS, STYLE = 510, 256
"""A voice file: one style row per number of tokens, float32."""


@dataclass(frozen=True, slots=True)
class VoiceSpec:
    """A voice as the model's TOML describes it.

    ``mix`` gives the share of each style file (they add up to 1); ``phones`` replaces phones of
    ``language`` the styles never learnt; ``speed`` is multiplied into the caller's.
    """

    voice: Voice
    mix: Mapping[str, float]
    phones: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    speed: float = 1.0

    @property
    def recipe(self) -> str:
        """The mixture as text: two voices of one recipe have the same statistics."""
        shares = sorted(self.mix.items())
        return "+".join(f"{name}*{share:.4g}" for name, share in shares)


def read_specs(engine: Mapping[str, Any]) -> tuple[VoiceSpec, ...]:
    """Read ``[[engine.voices]]`` and ``[engine.phones.<language>]`` of the model's TOML.

    Raises EngineUnavailable, saying which voice is described wrongly.
    """
    maps = engine.get("phones", {})
    specs = []
    for table in engine.get("voices", ()):
        name = table.get("id", "without an id")
        try:
            language = str(table["language"])
            mix = {str(k): float(v) for k, v in table.get("mix", {name: 1.0}).items()}
            voice = Voice(
                str(table["id"]),
                language,
                ENGINE,
                Quality(table.get("quality", Quality.NATIVE)),
                str(table.get("gender", "neutral")),
                LICENCE,
            )
            phones = maps.get(str(table.get("phones", language)), {})
            speed = float(table.get("speed", 1.0))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise EngineUnavailable(
                f"Kokoro's voice {name!r} is described wrongly: {error}"
            ) from error
        if not mix or min(mix.values()) < 0 or abs(sum(mix.values()) - 1) > 0.01:
            raise EngineUnavailable(f"the shares of Kokoro's voice {name!r} must add up to 1")
        specs.append(VoiceSpec(voice, MappingProxyType(mix), MappingProxyType(dict(phones)), speed))
    if not specs:
        raise EngineUnavailable("Kokoro's TOML describes no voice: [[engine.voices]] is missing")
    return tuple(specs)


def read_style(folder: Path, spec: VoiceSpec) -> Array:
    """Return the mixture's style rows [510, 256]. Raises EngineUnavailable for a missing file."""
    mixed = np.zeros((ROWS, STYLE), np.float32)
    for name, share in spec.mix.items():
        path = folder / "voices" / f"{name}.bin"
        try:
            rows = np.fromfile(path, "<f4")
        except OSError as error:
            raise EngineUnavailable(f"the voice {spec.voice.id} needs {path}: {error}") from error
        if rows.size != ROWS * STYLE:
            raise EngineUnavailable(f"{path} is not a Kokoro voice: {rows.size} numbers")
        mixed += np.float32(share) * rows.reshape(ROWS, STYLE)
    return mixed


def style_row(style: Array, tokens: int) -> Array:
    """Return the row [256] for a clause of so many tokens, pads not counted."""
    row: Array = style[min(max(tokens, 1), ROWS) - 1]
    return row
