"""Draw the PNG icons from icons/icon.svg with Chromium: ``python scripts/draw_icons.py``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ICONS = Path(__file__).parents[1] / "voice_server" / "web" / "static" / "icons"
PLAIN = {"icon-32.png": 32, "icon-180.png": 180, "icon-192.png": 192, "icon-512.png": 512}
MASKABLE = "icon-maskable-512.png"
"""Launchers cut it to any shape: only the middle 80 % is safe, and the ground fills the square."""

GROUND = "#ffc933"


def main() -> None:
    """Draw them all. Raises SystemExit with words when there is no Chromium."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is needed to draw the icons: install the package 'chromium'.")
    svg = (ICONS / "icon.svg").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, size in {**PLAIN, MASKABLE: 512}.items():
            page = browser.new_page(viewport={"width": size, "height": size})
            scale, ground = ("80%", GROUND) if name == MASKABLE else ("100%", "transparent")
            page.set_content(
                f"<body style='margin:0;display:grid;place-items:center;height:100vh;"
                f"background:{ground}'><div style='width:{scale};height:{scale}'>{svg}</div>"
            )
            page.screenshot(path=ICONS / name, omit_background=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
