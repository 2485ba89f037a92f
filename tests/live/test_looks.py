"""Avatars' licences: read from real VRM and GLB files, and held to."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from tests.live.vrm_model import build, write
from voice_server.assets import assets_dir
from voice_server.live.looks import look, looks
from voice_server.live.vrm import ModelError, read_licence
from voice_server.web.avatars import add_avatars


def judge(tmp_path: Path, meta: dict[str, Any] | None = None, **rig: Any) -> str:
    write(tmp_path / "probe", meta, **rig)
    found = look(tmp_path, "probe")
    assert found is not None
    assert found.kind == "vrm" or found.refusal
    return found.refusal


def test_our_own_avatars_may_be_shown() -> None:
    found = looks(assets_dir("avatars"))
    assert {entry.id for entry in found} >= {"lea", "noor", "tom"}
    assert [entry.refusal for entry in found] == [""] * len(found)
    assert {entry.licence for entry in found} == {"CC0-1.0"}


def test_a_model_for_companies_may_be_shown(tmp_path: Path) -> None:
    assert judge(tmp_path) == ""


@pytest.mark.parametrize("usage", ["personalNonProfit", "personalProfit", "anything", None])
def test_a_model_not_for_companies_is_refused_with_words(tmp_path: Path, usage: str | None) -> None:
    words = judge(tmp_path, {"commercialUsage": usage})
    assert "commercial use" in words
    assert (usage or "personalNonProfit") in words


@pytest.mark.parametrize("people", ["onlyAuthor", "onlySeparatelyLicensedPerson", None])
def test_a_model_for_certain_people_is_refused(tmp_path: Path, people: str | None) -> None:
    assert "certain people" in judge(tmp_path, {"avatarPermission": people})


def test_the_authors_word_lifts_it(tmp_path: Path) -> None:
    meta = {"commercialUsage": "personalNonProfit"}
    assert judge(tmp_path, meta, permission="Contract of 3 May with the author") == ""
    assert judge(tmp_path, meta, permission=" ") != ""


def test_credit_is_asked_for_unless_it_is_not(tmp_path: Path) -> None:
    write(tmp_path / "probe", {"creditNotation": "required", "authors": ["Ana", "Bo"]})
    found = look(tmp_path, "probe")
    assert found is not None
    assert found.credit == "Avatar: Probe, Ana, Bo"
    write(tmp_path / "probe")
    found = look(tmp_path, "probe")
    assert found is not None
    assert found.credit == ""


@pytest.mark.parametrize(
    ("meta", "refused"),
    [
        ({"commercialUssageName": "Allow", "allowedUserName": "Everyone"}, False),
        ({"commercialUssageName": "Disallow", "allowedUserName": "Everyone"}, True),
        ({"commercialUssageName": "Allow", "allowedUserName": "OnlyAuthor"}, True),
        ({}, True),
    ],
)
def test_vrm_0_is_read_too(tmp_path: Path, meta: dict[str, Any], refused: bool) -> None:
    assert bool(judge(tmp_path, meta, vrm=0)) is refused


def test_a_plain_glb_needs_its_licence_written_down(tmp_path: Path) -> None:
    assert '"commercial": true' in judge(tmp_path, vrm=-1)
    assert judge(tmp_path, vrm=-1, licence="CC0-1.0") != ""
    assert judge(tmp_path, vrm=-1, licence="CC0-1.0", commercial=True) == ""


@pytest.mark.parametrize(
    "model", ["../lea/rig.json", "/etc/passwd", "model.txt", "", None, "gone.vrm"]
)
def test_a_model_outside_its_folder_is_no_model(tmp_path: Path, model: str | None) -> None:
    folder = write(tmp_path / "probe")
    rig = json.loads((folder / "rig.json").read_text())
    (folder / "rig.json").write_text(json.dumps({**rig, "model": model}))
    found = look(tmp_path, "probe")
    assert found is not None
    assert "cannot be used" in found.refusal


@pytest.mark.parametrize("name", ["..", "../x", "LEA", "", "none", "a/b"])
def test_names_that_are_none(name: str) -> None:
    assert look(assets_dir("avatars"), name) is None


@given(
    data=st.binary(max_size=200) | st.sampled_from([b"[]", b"{}", b"null"]), headed=st.booleans()
)
def test_any_bytes_are_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, headed: bool
) -> None:
    head = struct.pack("<5I", 0x46546C67, 2, len(data) + 20, len(data), 0x4E4F534A)
    path = tmp_path_factory.getbasetemp() / "look.vrm"
    path.write_bytes((head if headed else b"") + data)
    if headed and data == b"{}":
        assert read_licence(path).kind == "glb"
        return
    with pytest.raises(ModelError, match=r"look\.vrm"):
        read_licence(path)


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.vrm"
    path.write_bytes(build()[:400])
    with pytest.raises(ModelError, match="cannot be read"):
        read_licence(path)


async def test_a_refused_model_is_not_served(tmp_path: Path) -> None:
    write(tmp_path / "good", {"creditNotation": "required"})
    write(tmp_path / "bad", {"commercialUsage": "personalProfit"})
    app = web.Application()
    add_avatars(app, tmp_path)
    async with TestClient(TestServer(app)) as client:
        good = await (await client.get("/avatars/good/rig.json")).json()
        assert good["credit"] == "Avatar: Probe, Voice Server"
        assert (await (await client.get("/avatars/good/model")).read())[:4] == b"glTF"
        for path in ("rig.json", "model"):
            response = await client.get(f"/avatars/bad/{path}")
            assert response.status == 403
            assert "personalProfit" in (await response.json())["error"]
        assert (await client.get("/avatars/none/model")).status == 404
        listed = await (await client.get("/api/live/avatars")).json()
        assert [(entry["id"], bool(entry["refusal"])) for entry in listed] == [
            ("bad", True), ("good", False),
        ]  # fmt: skip
