"""What a database takes of untrusted text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_REFUSED = re.compile("[\x00\ud800-\udfff]")


def clean(value: Any) -> Any:
    """Return a value without what databases refuse: NUL characters and halves of surrogates."""
    if isinstance(value, str):
        if not _REFUSED.search(value):
            return value
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {clean(str(key)): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value
