"""The avatars there are: a folder each, drawn by a rig or loaded as a model; their licences."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voice_server.live.vrm import ModelError, ModelLicence, read_licence

LOOK = re.compile(r"[a-z0-9-]{1,40}")
MODELS = (".vrm", ".glb")


@dataclass(frozen=True, slots=True)
class Look:
    """One avatar, as the host chooses it."""

    id: str
    title: str
    kind: str
    """"rig" or "vrm"."""
    licence: str
    author: str
    model: Path | None = None
    """File of a model."""
    refusal: str = ""
    """Why it may not be shown, in words for the host; "" if it may."""
    credit: str = ""
    """A line that the stage must show."""

    def as_json(self) -> dict[str, Any]:
        """Return what the host's pages are told."""
        names = ("id", "title", "kind", "licence", "author", "refusal", "credit")
        return {name: getattr(self, name) for name in names}


def look(folder: Path, name: str) -> Look | None:
    """Return an avatar of a folder of avatars, None when there is none of that name."""
    home = folder / name
    if not LOOK.fullmatch(name) or not (home / "rig.json").is_file():
        return None
    try:
        rig = json.loads((home / "rig.json").read_text(encoding="utf-8"))
        if not isinstance(rig, dict):
            raise ModelError("it is no object")
        return _judged(home, name, rig)
    except (OSError, ValueError, ModelError) as error:
        return Look(name, name, "rig", "", "", refusal=f"rig.json cannot be used: {error}")


def looks(folder: Path) -> list[Look]:
    """Return all avatars, by name."""
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    return [found for name in names if (found := look(folder, name)) is not None]


def _judged(home: Path, name: str, rig: dict[str, Any]) -> Look:
    def text(key: str) -> str:
        return str(rig.get(key, ""))[:500]

    title = text("title") or name
    if rig.get("kind", "rig") == "rig":
        return Look(name, title, "rig", text("licence"), text("author"))
    model = home / text("model")
    # Only a file that lies in the avatar's own folder.
    if model.parent.resolve() != home.resolve() or model.suffix not in MODELS:
        raise ModelError('"model" must name a .vrm or .glb file in the same folder')
    found = read_licence(model)
    return Look(
        name,
        title,
        "vrm",
        found.licence or text("licence"),
        ", ".join(found.authors) or text("author"),
        model=model,
        refusal=_refusal(found, rig),
        credit=found.credit_line,
    )


def _refusal(found: ModelLicence, rig: dict[str, Any]) -> str:
    permission = rig.get("permission")
    if isinstance(permission, str) and permission.strip():
        # The shop has the authors' word, and says in the file what it is.
        return ""
    if found.kind == "glb" and not (rig.get("licence") and rig.get("commercial") is True):
        return (
            "a plain GLB does not state its licence: rig.json must have "
            '"licence", and "commercial": true when that allows a shop to use it'
        )
    return found.refusal
