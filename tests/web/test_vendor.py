"""The third-party modules of the pages are those of the lock, their licences beside them."""

from __future__ import annotations

import json

from scripts.dev.vendor_js import VENDOR, check


def test_copies_are_as_they_were_fetched() -> None:
    assert check() == []


def test_only_licences_that_may_be_copied() -> None:
    packages = json.loads((VENDOR / "lock.json").read_text())["packages"]
    assert {package["licence"] for package in packages} == {"MIT"}
    for package in packages:
        assert any(name.endswith("LICENSE.txt") for name in package["files"])
