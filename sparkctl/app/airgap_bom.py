"""The bill of materials inside a transfer bundle (CycloneDX 1.6): a component for each file."""

import re
import uuid
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import zstandard

from sparkctl import __version__
from sparkctl.export.bom import SPEC_VERSION, properties, purl
from sparkctl.model.canonical import canonical_json
from sparkctl.model.transfer import TransferFile

_SPACE = uuid.UUID("0f0be9a5-7a3a-5c0e-9a2e-5b6a4f1d7c11")  # of numbers of these documents; chosen once
# Names of wheels: packaging.python.org, "Binary distribution format". Names of packages: deb-policy 5.6, dpkg-name(1).
_WHEEL = re.compile(r"([A-Za-z0-9_.]+)-([A-Za-z0-9_.!+]+)(?:-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl")
_DEB = re.compile(r"([a-z0-9][a-z0-9+.-]+)_([A-Za-z0-9.+~%:-]+)_([a-z0-9-]+)\.u?deb")


def bom(name: str, created_at: datetime, files: list[TransferFile]) -> bytes:
    """The document, compressed with Zstandard; the same for the same bundle."""
    components = [_component(file) for file in files]
    digest = ",".join(file.sha256 for file in files)
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, f'{name} {digest}')}",
        "version": 1,
        "metadata": {
            "timestamp": created_at.isoformat().replace("+00:00", "Z"),
            "tools": {"components": [{"type": "application", "name": "sparkctl", "version": __version__}]},
            "component": {"type": "data", "name": name, "bom-ref": "bundle"},
        },
        "components": components,
        "dependencies": [{"ref": "bundle", "dependsOn": [component["bom-ref"] for component in components]}],
    }
    return zstandard.ZstdCompressor(level=3).compress(canonical_json(document))


def _component(file: TransferFile) -> dict[str, Any]:
    last = file.path.rsplit("/", 1)[-1]
    common: dict[str, Any] = {
        "bom-ref": f"file:{file.path}",
        "hashes": [{"alg": "SHA-256", "content": file.sha256}],
        "properties": properties({"path": file.path, "size": file.size}),
    }
    if match := _WHEEL.fullmatch(last):
        package = re.sub(r"[-_.]+", "-", match[1]).lower()
        return {
            "type": "library", "name": package, "version": match[2],
            "purl": purl("pypi", None, package, match[2], {}), **common,
        }  # fmt: skip
    if match := _DEB.fullmatch(last):
        version = unquote(match[2])
        return {
            "type": "library", "name": match[1], "version": version,
            "purl": purl("deb", "ubuntu", match[1], version, {"arch": match[3]}), **common,
        }  # fmt: skip
    return {"type": "file", "name": file.path, **common}
