"""Our own proof towards a trunk: the answer to a digest challenge (RFC 2617, qop auth). Pure."""

from __future__ import annotations

import re

from voice_server.telephony.sip_digest import response_of


def authorization(
    challenge: str, user: str, password: str, method: str, uri: str, cnonce: str
) -> str:
    """Return an Authorization header. ``cnonce``: fresh and unguessable."""
    asked = {
        name.lower(): quoted or bare
        for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', challenge)
    }
    given = {
        "username": user,
        "realm": asked.get("realm", ""),
        "nonce": asked.get("nonce", ""),
        "uri": uri,
    }
    if "auth" in asked.get("qop", "").replace(" ", "").split(","):
        given |= {"qop": "auth", "nc": "00000001", "cnonce": cnonce}
    given["response"] = response_of(user, password, method, given)
    if "opaque" in asked:
        given["opaque"] = asked["opaque"]
    given["algorithm"] = "MD5"
    return "Digest " + ", ".join(
        f"{name}={value}" if name in ("qop", "nc", "algorithm") else f'{name}="{value}"'
        for name, value in given.items()
    )
