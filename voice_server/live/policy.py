"""What platforms and laws allow an avatar to do in a shopping stream. Values only.

Sources: EU AI Act art. 50 (in force 2026-08-02): viewers are told at first sight.  China's live
e-commerce measures (2026-02-01): viewers are reminded continuously.  TikTok Shop US (2026-05-23):
no AI voices, and nothing animated over half of the picture; a person must answer.
"""

from __future__ import annotations

from dataclasses import dataclass

REMIND_CHINA_S = 120.0
"""The badge is always there; the spoken reminder comes every two minutes."""
WORDS_PER_S = 2.3
"""Reading aloud from a prompter: a little slower than the voices (about 140 words a minute)."""
SHORTEST_S = 2.5


@dataclass(frozen=True, slots=True)
class Policy:
    """One profile; a run-sheet names it."""

    id: str
    voice: bool = True
    """May the avatar speak? Else the host reads: teleprompter mode."""
    avatar_share: float = 1.0
    """Size of the avatar, 1 for its usual one."""
    longest_remind_s: float = 3600.0
    """The spoken reminder that an AI presents comes at least so often."""


POLICIES = {
    policy.id: policy
    for policy in (
        Policy("default"),
        Policy("tiktok_shop_us", voice=False, avatar_share=0.5),
        Policy("china", longest_remind_s=REMIND_CHINA_S),
    )
}


def reading_s(text: str) -> float:
    """Return how long a person needs to read a line aloud."""
    return max(SHORTEST_S, len(text.split()) / WORDS_PER_S)
