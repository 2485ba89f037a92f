"""A VRM 1.0 model of our own geometry (CC0): a head that can speak, a body, arms on bones.

python -m tests.live.vrm_model avatars/probe      # writes model.vrm and rig.json to look at
"""

from __future__ import annotations

import json
import math
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Point = tuple[float, float, float]
Move = Callable[[Point], Point]

BONES: dict[str, tuple[str, Point]] = {
    # name: parent, place in metres (T-pose, the model looks along +z)
    "hips": ("", (0, 0.95, 0)), "spine": ("hips", (0, 1.05, 0)), "chest": ("spine", (0, 1.2, 0)),
    "neck": ("chest", (0, 1.42, 0)), "head": ("neck", (0, 1.5, 0)),
    "leftUpperArm": ("chest", (0.17, 1.36, 0)), "leftLowerArm": ("leftUpperArm", (0.42, 1.36, 0)),
    "leftHand": ("leftLowerArm", (0.65, 1.36, 0)),
    "rightUpperArm": ("chest", (-0.17, 1.36, 0)),
    "rightLowerArm": ("rightUpperArm", (-0.42, 1.36, 0)),
    "rightHand": ("rightLowerArm", (-0.65, 1.36, 0)),
    "leftUpperLeg": ("hips", (0.1, 0.9, 0)), "leftLowerLeg": ("leftUpperLeg", (0.1, 0.5, 0)),
    "leftFoot": ("leftLowerLeg", (0.1, 0.08, 0)),
    "rightUpperLeg": ("hips", (-0.1, 0.9, 0)), "rightLowerLeg": ("rightUpperLeg", (-0.1, 0.5, 0)),
    "rightFoot": ("rightLowerLeg", (-0.1, 0.08, 0)),
}  # fmt: skip

SKIN, HAIR, CLOTH, DARK, WHITE, EYE, LIP = (
    (0.93, 0.72, 0.58), (0.2, 0.12, 0.09), (0.15, 0.35, 0.42), (0.25, 0.05, 0.07),
    (0.96, 0.95, 0.93), (0.16, 0.22, 0.3), (0.75, 0.34, 0.36),
)  # fmt: skip

# How high and how wide the mouth is, for VRM's five vowels.
MOUTHS = {
    "aa": (5.0, 1.0),
    "ih": (1.8, 1.25),
    "ou": (2.0, 0.55),
    "ee": (2.8, 1.2),
    "oh": (4.0, 0.7),
}

META: dict[str, Any] = {
    "name": "Probe",
    "version": "1",
    "authors": ["Voice Server"],
    "licenseUrl": "https://vrm.dev/licenses/1.0/",
    "otherLicenseUrl": "https://creativecommons.org/publicdomain/zero/1.0/",
    "avatarPermission": "everyone",
    "commercialUsage": "corporation",
    "creditNotation": "unnecessary",
    "allowRedistribution": True,
    "modification": "allowModificationRedistribution",
}


def ball(
    centre: Point, radii: Point, rings: int = 20
) -> tuple[list[Point], list[Point], list[int]]:
    """Points, normals and triangles of an ellipsoid."""
    points, normals, triangles = [], [], []
    for ring in range(rings + 1):
        polar = math.pi * ring / rings
        for at in range(2 * rings + 1):
            turn = math.pi * at / rings
            n = (
                math.sin(polar) * math.sin(turn),
                math.cos(polar),
                math.sin(polar) * math.cos(turn),
            )
            points.append(tuple(c + r * x for c, r, x in zip(centre, radii, n, strict=True)))
            normals.append(n)
    row = 2 * rings + 1
    for ring in range(rings):
        for at in range(2 * rings):
            a = ring * row + at
            triangles += [a, a + row, a + 1, a + 1, a + row, a + row + 1]
    return points, normals, triangles  # type: ignore[return-value]


def build(meta: dict[str, Any] | None = None, *, vrm: int = 1) -> bytes:
    """Return the file. ``vrm`` 1, 0 (only its licence: enough to judge it), or -1 for none."""
    data = bytearray()
    views: list[dict[str, Any]] = []
    accessors: list[dict[str, Any]] = []

    def store(values: Sequence[float], kind: str, component: int, width: int) -> int:
        while len(data) % 4:
            data.append(0)
        packed = struct.pack(f"<{len(values)}{'f' if component == 5126 else 'I'}", *values)
        views.append({"buffer": 0, "byteOffset": len(data), "byteLength": len(packed)})
        data.extend(packed)
        entry: dict[str, Any] = {
            "bufferView": len(views) - 1,
            "componentType": component,
            "count": len(values) // width,
            "type": kind,
        }
        if kind == "VEC3":
            entry["min"] = [min(values[i::3]) for i in range(3)]
            entry["max"] = [max(values[i::3]) for i in range(3)]
        accessors.append(entry)
        return len(accessors) - 1

    def flat(points: Sequence[Point]) -> list[float]:
        return [value for point in points for value in point]

    materials: list[dict[str, Any]] = []
    meshes: list[dict[str, Any]] = []
    names = list(BONES)
    nodes: list[dict[str, Any]] = []
    for name, (parent, place) in BONES.items():
        base = BONES[parent][1] if parent else (0, 0, 0)
        nodes.append(
            {"name": name, "translation": [p - b for p, b in zip(place, base, strict=True)]}
        )
    for index, (_, (parent, _)) in enumerate(BONES.items()):
        if parent:
            nodes[names.index(parent)].setdefault("children", []).append(index)

    def part(bone: str, shape: Any, colour: Point, morphs: dict[str, Move] | None = None) -> int:
        origin = BONES[bone][1]
        points, normals, triangles = shape
        local = [tuple(p - o for p, o in zip(point, origin, strict=True)) for point in points]
        materials.append(
            {"pbrMetallicRoughness": {"baseColorFactor": [*colour, 1], "metallicFactor": 0}}
        )
        primitive: dict[str, Any] = {
            "attributes": {
                "POSITION": store(flat(local), "VEC3", 5126, 3),
                "NORMAL": store(flat(normals), "VEC3", 5126, 3),
            },
            "indices": store(triangles, "SCALAR", 5125, 1),
            "material": len(materials) - 1,
        }
        mesh: dict[str, Any] = {"primitives": [primitive]}
        if morphs:
            primitive["targets"] = [
                {
                    "POSITION": store(
                        flat(
                            [
                                tuple(m - p for m, p in zip(move(p), p, strict=True))
                                for p in points
                            ]
                        ),
                        "VEC3", 5126, 3,
                    )
                }
                for move in morphs.values()
            ]  # fmt: skip
            mesh["extras"] = {"targetNames": list(morphs)}
        meshes.append(mesh)
        nodes.append({"mesh": len(meshes) - 1, "name": f"part{len(meshes)}"})
        nodes[names.index(bone)].setdefault("children", []).append(len(nodes) - 1)
        return len(nodes) - 1

    part("head", ball((0, 1.6, 0), (0.1, 0.135, 0.11), 28), SKIN)
    part("head", ball((0, 1.645, -0.018), (0.112, 0.118, 0.112), 28), HAIR)
    part("neck", ball((0, 1.46, -0.005), (0.05, 0.09, 0.05)), SKIN)
    part("head", ball((0, 1.588, 0.108), (0.012, 0.02, 0.014)), SKIN)
    centre = (0.0, 1.535, 0.092)

    def opened(high: float, wide: float) -> Move:
        return lambda p: (
            centre[0] + (p[0] - centre[0]) * wide,
            centre[1] + (p[1] - centre[1]) * high - 0.004 * (high - 1),
            p[2],
        )

    mouths = {name: opened(*size) for name, size in MOUTHS.items()}
    lips = part("head", ball(centre, (0.03, 0.0085, 0.014)), LIP, mouths)
    inside = part("head", ball((0, 1.535, 0.0965), (0.024, 0.0012, 0.011)), DARK, mouths)
    lids = []
    for side in (-1, 1):
        eye = (0.04 * side, 1.615, 0.088)
        part("head", ball(eye, (0.02, 0.014, 0.014)), WHITE)
        part("head", ball((eye[0], eye[1], eye[2] + 0.009), (0.0095, 0.0095, 0.007)), EYE)
        lid = ball((eye[0], eye[1] + 0.017, eye[2] + 0.0015), (0.0215, 0.004, 0.0155))
        shut: Move = lambda p, y=eye[1]: (p[0], y + (p[1] - y - 0.017) * 3.9, p[2] + 0.002)  # type: ignore[misc]  # noqa: E731
        lids.append(part("head", lid, SKIN, {"blink": shut}))
    part("chest", ball((0, 1.24, 0), (0.185, 0.19, 0.105), 24), CLOTH)
    part("spine", ball((0, 1.03, 0), (0.15, 0.2, 0.095), 24), CLOTH)
    for name, sign in (("left", 1), ("right", -1)):
        part(f"{name}UpperArm", ball((0.29 * sign, 1.36, 0), (0.15, 0.048, 0.048)), CLOTH)
        part(f"{name}LowerArm", ball((0.53 * sign, 1.36, 0), (0.14, 0.038, 0.038)), CLOTH)
        part(f"{name}Hand", ball((0.7 * sign, 1.36, 0), (0.075, 0.022, 0.04)), SKIN)

    def preset(names: Sequence[int], index: int) -> dict[str, Any]:
        binds = [{"node": node, "index": index, "weight": 1.0} for node in names]
        return {"morphTargetBinds": binds, "isBinary": False}

    extensions: dict[str, Any] = {}
    if vrm == 1:
        extensions["VRMC_vrm"] = {
            "specVersion": "1.0",
            "meta": {**META, **(meta or {})},
            "humanoid": {"humanBones": {name: {"node": i} for i, name in enumerate(names)}},
            "expressions": {
                "preset": {
                    **{name: preset([lips, inside], i) for i, name in enumerate(MOUTHS)},
                    "blink": preset(lids, 0),
                }
            },
        }
    elif vrm == 0:
        extensions["VRM"] = {"specVersion": "0.0", "meta": meta or {}}
    table = {
        "asset": {"version": "2.0", "generator": "Voice Server's tests"},
        "extensionsUsed": list(extensions),
        "extensions": extensions,
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": nodes,
        "meshes": meshes,
        "materials": materials,
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(data)}],
    }
    text = json.dumps(table).encode()
    text += b" " * (-len(text) % 4)
    data.extend(b"\0" * (-len(data) % 4))
    size = 12 + 8 + len(text) + 8 + len(data)
    return (
        struct.pack("<3I", 0x46546C67, 2, size)
        + struct.pack("<2I", len(text), 0x4E4F534A) + text
        + struct.pack("<2I", len(data), 0x004E4942) + bytes(data)
    )  # fmt: skip


def write(folder: Path, meta: dict[str, Any] | None = None, **rig: Any) -> Path:
    """Write an avatar's folder; return it."""
    vrm = rig.pop("vrm", 1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.vrm").write_bytes(build(meta, vrm=vrm))
    about = {"format": 1, "kind": "vrm", "title": "Probe", "model": "model.vrm", **rig}
    (folder / "rig.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


if __name__ == "__main__":
    print(write(Path(sys.argv[1])))
