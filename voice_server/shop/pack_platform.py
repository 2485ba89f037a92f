"""What ``voice-server check`` says of ``[platform]``: the table and the mapping it names."""

from __future__ import annotations

from pathlib import Path

from voice_server.shop.pack_reader import Problems, Section
from voice_server.shop.platform_config import ConfigError, parse

REMEDY = "see docs/shop-platforms.md"


def review_platform(folder: Path, root: Section, problems: Problems) -> None:
    """Note what keeps a shop's platform from being opened; credentials are not looked at.

    Args:
        folder: the pack.
        root: its shop.toml.
        problems: where to note it.
    """
    table = root.data.get("platform")
    if table is None:
        return
    line = root.section("platform", required=False).line()
    try:
        config = parse(table, folder)
    except ConfigError as error:
        problems.error(root.file, line, str(error), REMEDY)
        return
    if config.type not in {"rest", "mcp"}:
        return
    # Imported here: the connectors bring an HTTP client, which reading a pack does not need.
    from voice_server.shop.connectors import mapping

    name = config.text("mapping")
    try:
        mapping.load(folder / name, "EUR", mcp=config.type == "mcp")
    except ConfigError as error:
        problems.error(name, 0, str(error), REMEDY)
