"""Where the assets that are not code lie: model descriptions, shop packs, avatars.

A checkout keeps them at its root (``models/``, ``shops/``, ``avatars/``); an installed wheel
carries the same folders inside the package, under ``_assets``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

AssetKind = Literal["models", "shops", "avatars"]


class AssetsMissing(Exception):
    """The installation is incomplete: a folder that belongs to it is not there."""


def assets_dir(kind: AssetKind, package: Path | None = None) -> Path:
    """Return the folder with the bundled assets of one kind.

    Args:
        kind: which folder.
        package: the package's own folder; a parameter for tests only.

    Raises:
        AssetsMissing: neither the wheel's nor the checkout's folder exists.
    """
    home = package or Path(__file__).resolve().parent
    places = (home / "_assets" / kind, home.parent / kind)
    for place in places:
        if place.is_dir():
            return place
    raise AssetsMissing(
        f"the {kind} folder that belongs to voice-server is missing; looked for "
        f"{' and '.join(str(place) for place in places)}. Reinstall voice-server."
    )
