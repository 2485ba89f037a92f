"""The licence inside a VRM model, read and judged before it may present. Pure.

VRM 0 and 1 carry it in the JSON chunk of the GLB file.  A shop's show is commercial use by an
organisation: models that do not allow that are refused with words, and those that ask for credit
get it on the stage.  A plain GLB says nothing of its licence: its ``rig.json`` must.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_JSON = 16 * 1024 * 1024
"""The JSON chunk of a model; real ones have less than one megabyte."""
MOST_BYTES = 120 * 1024 * 1024
_GLB = 0x46546C67
_JSON = 0x4E4F534A


class ModelError(Exception):
    """A model cannot be read; the message is for the host."""


@dataclass(frozen=True, slots=True)
class ModelLicence:
    """What a model says of its use."""

    kind: str
    """"vrm1", "vrm0" or "glb"."""
    name: str
    authors: tuple[str, ...]
    licence: str
    """Name or address of the licence."""
    commercial: str
    """In the model's own words: "corporation", "personalProfit", "Allow"...; "" unsaid."""
    permission: str
    """Who may perform with it, in the model's own words."""
    modification: str
    credit: bool
    """It asks for the authors to be named."""

    @property
    def refusal(self) -> str:
        """Why it may not present in a shop's show, "" if it may."""
        if self.kind == "glb":
            return ""  # judged by what its rig.json states
        if self.permission.lower() not in ("everyone", ""):
            return (
                f"its authors allow only certain people to perform with it ({self.permission}); "
                "ask them, or take another model"
            )
        allowed = {"vrm1": ("corporation",), "vrm0": ("allow",)}[self.kind]
        if self.commercial.lower() not in allowed:
            said = self.commercial or "nothing, which means no"
            return (
                "a shop's show is commercial use by an organisation, and the model's licence does "
                f"not allow that (it says: {said})"
            )
        return ""

    @property
    def credit_line(self) -> str:
        """What is shown on the stage, "" when nobody asks for it."""
        return f"Avatar: {self.name}, {', '.join(self.authors)}" if self.credit else ""


def read_licence(path: Path) -> ModelLicence:
    """Read the licence of a GLB or VRM file. Raises ModelError."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ModelError(f"{path.name} is larger than {MOST_BYTES // 1_000_000} MB")
        with path.open("rb") as file:
            magic, version, _, size, kind = struct.unpack("<5I", file.read(20))
            if magic != _GLB or version != 2 or kind != _JSON or size > MOST_JSON:
                raise ModelError(f"{path.name} is no binary glTF 2 file")
            table = json.loads(file.read(size))
    except (OSError, struct.error, ValueError) as error:
        raise ModelError(f"{path.name} cannot be read: {error}") from None
    if not isinstance(table, dict):
        raise ModelError(f"{path.name} is no binary glTF 2 file")
    extensions = _table(table, "extensions")
    if "VRMC_vrm" in extensions:
        return _vrm1(_table(_table(extensions, "VRMC_vrm"), "meta"))
    if "VRM" in extensions:
        return _vrm0(_table(_table(extensions, "VRM"), "meta"))
    return ModelLicence("glb", path.stem, (), "", "", "", "", credit=False)


def _vrm1(meta: Mapping[str, Any]) -> ModelLicence:
    # Defaults are the specification's: what is unsaid is the strictest.
    authors = meta.get("authors")
    return ModelLicence(
        kind="vrm1",
        name=_text(meta, "name"),
        authors=tuple(str(a)[:200] for a in authors) if isinstance(authors, list) else (),
        licence=_text(meta, "otherLicenseUrl") or _text(meta, "licenseUrl"),
        commercial=_text(meta, "commercialUsage") or "personalNonProfit",
        permission=_text(meta, "avatarPermission") or "onlyAuthor",
        modification=_text(meta, "modification") or "prohibited",
        credit=_text(meta, "creditNotation") != "unnecessary",
    )


def _vrm0(meta: Mapping[str, Any]) -> ModelLicence:
    licence = _text(meta, "licenseName")
    return ModelLicence(
        kind="vrm0",
        name=_text(meta, "title"),
        authors=(_text(meta, "author"),),
        licence=_text(meta, "otherLicenseUrl") or licence,
        # The misspelling is the format's.
        commercial=_text(meta, "commercialUssageName") or "Disallow",
        permission=_text(meta, "allowedUserName") or "OnlyAuthor",
        modification="prohibited" if "ND" in licence else "allowed",
        credit=licence != "CC0",
    )


def _table(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = table.get(key)
    return found if isinstance(found, dict) else {}


def _text(table: Mapping[str, Any], key: str) -> str:
    found = table.get(key)
    return found.strip()[:500] if isinstance(found, str) else ""
