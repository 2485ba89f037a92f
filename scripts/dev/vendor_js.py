"""Copies the few third-party modules of the pages into static/vendor, at locked versions.

    .venv/bin/python scripts/dev/vendor_js.py            # checks what is there against the lock
    .venv/bin/python scripts/dev/vendor_js.py --update   # fetches with npm, writes files and lock

The packages come through ``npm pack``, which checks the registry's integrity hashes; the lock
(``static/vendor/lock.json``) keeps version, licence, and the sha256 of every file that was copied.
Browsers find modules by path: bare names ("three") become the paths of the copies.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[2] / "voice_server" / "web" / "static" / "vendor"
PACKAGES = {
    "three": (
        "0.180.0",
        {
            "build/three.module.min.js": "three/three.module.min.js",
            "build/three.core.min.js": "three/three.core.min.js",
            "examples/jsm/loaders/GLTFLoader.js": "three/GLTFLoader.js",
            "examples/jsm/utils/BufferGeometryUtils.js": "three/BufferGeometryUtils.js",
            "LICENSE": "three/LICENSE.txt",
        },
    ),
    "@pixiv/three-vrm": (
        "3.5.5",
        {
            "lib/three-vrm.module.min.js": "three-vrm/three-vrm.module.min.js",
            "LICENSE": "three-vrm/LICENSE.txt",
        },
    ),
}
PATHS = {
    "three/GLTFLoader.js": {
        "from 'three';": "from './three.module.min.js';",
        "from '../utils/BufferGeometryUtils.js';": "from './BufferGeometryUtils.js';",
    },
    "three/BufferGeometryUtils.js": {"from 'three';": "from './three.module.min.js';"},
    "three-vrm/three-vrm.module.min.js": {'from"three"': 'from"../three/three.module.min.js"'},
}


def check() -> list[str]:
    """Return what differs from the lock, in words; empty when all is as it was fetched."""
    lock = json.loads((VENDOR / "lock.json").read_text(encoding="utf-8"))
    wrong = []
    known = {"lock.json"}
    for package in lock["packages"]:
        for name, sha in package["files"].items():
            known.add(name)
            path = VENDOR / name
            if not path.is_file():
                wrong.append(f"{name} is missing")
            elif hashlib.sha256(path.read_bytes()).hexdigest() != sha:
                wrong.append(f"{name} is not as it was fetched")
    found = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    return wrong + [f"{name} is not in the lock" for name in sorted(found - known)]


def update() -> None:
    """Fetch the packages and write the copies and the lock."""
    packages = []
    for name, (version, files) in PACKAGES.items():
        with tempfile.TemporaryDirectory() as folder:
            packed = subprocess.run(
                ["npm", "pack", f"{name}@{version}", "--json", "--pack-destination", folder],
                check=True, capture_output=True, text=True, timeout=300,
            )  # fmt: skip
            about = json.loads(packed.stdout)[0]
            # A plain file in a folder of ours; only members that are named here are read.
            with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
                licence = json.load(_member(archive, "package.json"))["license"]
                sums = {}
                for source, target in files.items():
                    text = _member(archive, source).read().decode()
                    for bare, path in PATHS.get(target, {}).items():
                        if bare not in text:
                            raise SystemExit(f"{name} {source}: {bare} is not there any more")
                        text = text.replace(bare, path)
                    (VENDOR / target).parent.mkdir(parents=True, exist_ok=True)
                    (VENDOR / target).write_text(text, encoding="utf-8")
                    sums[target] = hashlib.sha256(text.encode()).hexdigest()
        packages.append(
            {
                "name": name,
                "version": version,
                "licence": licence,
                "integrity": about["integrity"],
                "files": sums,
            }
        )
    lock = json.dumps({"packages": packages}, indent=1) + "\n"
    (VENDOR / "lock.json").write_text(lock, encoding="utf-8")


def _member(archive: tarfile.TarFile, name: str) -> tarfile.ExFileObject:
    found = archive.extractfile(f"package/{name}")
    if found is None:
        raise SystemExit(f"{name} is not in the package")
    return found  # type: ignore[return-value]


def main() -> None:
    """Check, or update first."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--update", action="store_true")
    if parser.parse_args().update:
        update()
    wrong = check()
    print("\n".join(wrong) or "all files are as they were fetched")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
