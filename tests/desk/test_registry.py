"""Which desk a pack gets, and what is said when something is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice_server.desk.registry import DeskUnusable, make_desk
from voice_server.desk.settings import KINDS, DeskSettings

COMPLETE: dict[str, dict[str, str]] = {
    "console": {},
    "zendesk": {"subdomain": "marolle", "email": "ops@shop.be", "field_order": "360001"},
    "sunshine": {"app": "5e55", "account": "app_1"},
    "dixa": {"queue_id": "q", "email_integration": "a@b.be"},
    "chatlayer": {"url": "https://marolle.example/chatlayer"},
}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_can_be_made(kind: str, tmp_path: Path) -> None:
    settings = DeskSettings(kind=kind, vendor=COMPLETE[kind])
    desk = make_desk(settings, tmp_path / "desk", token="t", secret="s")
    assert desk.name == kind
    await desk.close()


@pytest.mark.parametrize(
    ("kind", "change", "token", "secret", "words"),
    [
        ("zendesk", {"subdomain": ""}, "t", "s", "needs subdomain"),
        ("zendesk", {"group_id": "first"}, "t", "s", "must be a whole number"),
        ("zendesk", {}, "", "s", "VOICE_SERVER_DESK_TOKEN"),
        ("sunshine", {}, "t", "", "VOICE_SERVER_DESK_SECRET"),
        ("sunshine", {"account": ""}, "t", "s", "needs account"),
        ("dixa", {"queue_id": ""}, "t", "s", "needs queue_id"),
        ("chatlayer", {"url": "http://x.be"}, "t", "s", "https://"),
        ("chatlayer", {}, "t", "", "VOICE_SERVER_DESK_SECRET"),
    ],
)
def test_what_is_missing_is_named(
    kind: str, change: dict[str, str], token: str, secret: str, words: str, tmp_path: Path
) -> None:
    settings = DeskSettings(kind=kind, vendor={**COMPLETE[kind], **change})
    with pytest.raises(DeskUnusable, match=words):
        make_desk(settings, tmp_path, token=token, secret=secret)
