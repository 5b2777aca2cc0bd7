"""A firmware service of our own, made by gcab and jcat-tool as LVFS makes its own, under certificates of a test."""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import zstandard

from sparkctl.airgap.mirrors.firmware_ca import Pair, authority, signing

TOOLS = ("gcab", "jcat-tool", "curl")
WEBCAM = "b585990a-003e-5270-89d5-3705a17f9a43"
"""The test device that fwupd itself has."""
EC = "c3cccaf0-9a3e-4ee2-992e-9f0cf9b55fa0"
"""The embedded controller of a GB10."""


def missing() -> str:
    """The tools that are not there."""
    return " ".join(tool for tool in TOOLS if not shutil.which(tool))


class Keys:
    """A CA and a signing certificate in files, as jcat-tool reads them."""

    def __init__(self, folder: Path, name: str, *, at: datetime | None = None, days: int = 365) -> None:
        folder.mkdir(parents=True)
        moment = (at or datetime.now(UTC)).replace(microsecond=0)
        self.ca: Pair = authority(name, moment, 3650)
        self.signer: Pair = signing(name, self.ca, moment, days)
        self.ca_file, self.certificate, self.key = folder / "ca.pem", folder / "sign.pem", folder / "sign.key"
        self.ca_file.write_bytes(self.ca.certificate_pem)
        self.certificate.write_bytes(self.signer.certificate_pem + self.ca.certificate_pem)
        self.key.write_bytes(self.signer.key_pem)
        self.key.chmod(0o600)

    def sign(self, jcat: Path, source: Path) -> None:
        """Add a digest and a signature of a file to a file of signatures."""
        said("jcat-tool", "--basename", "--kind", "sha256", "self-sign", str(jcat), str(source))
        said("jcat-tool", "--basename", "sign", str(jcat), str(source), str(self.certificate), str(self.key))


class Lvfs:
    """A folder of cabs with metadata that names them; what changes in it is signed when `publish` is called."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self.folder, self.keys = folder, keys
        self._components: dict[tuple[str, str], list[str]] = {}
        folder.mkdir()

    def copied(self, folder: Path) -> "Lvfs":
        """The same in a folder that is not there yet."""
        made = Lvfs(folder, self.keys)
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        made._components = {key: [*listed] for key, listed in self._components.items()}
        return made

    def add(
        self, name: str, guid: str, version: str, *, keys: Keys | None = None, signed: bool = True, bulk: int = 0
    ) -> Path:
        """Put a cab there, and its release into the metadata."""
        path = self.folder / f"{name}-{version}.cab"
        cab = build_cab(path, name, guid, version, (keys or self.keys) if signed else None, bulk)
        content = cab.read_bytes()
        self._components.setdefault((name, guid), []).append(
            f'<release version="{version}" timestamp="1767312000" urgency="high"><location>{cab.name}</location>'
            f'<checksum type="sha1" target="container">{hashlib.sha1(content).hexdigest()}</checksum>'
            f'<checksum type="sha256" filename="{cab.name}" target="container">{digest(cab)}</checksum>'
            f'<size type="download">{len(content)}</size></release>'
        )
        return cab

    def publish(self, form: str = "zst", *, extra: str = "", keys: Keys | None = None) -> Path:
        """Write the metadata and sign it."""
        text = "".join(
            component(name, guid, "".join(reversed(listed))) for (name, guid), listed in self._components.items()
        )
        xml = (
            f'<?xml version="1.0" encoding="utf-8"?>{extra}<components origin="lvfs" version="0.9">{text}</components>'
        )
        path = self.folder / f"firmware.xml.{form}"
        packed = zstandard.compress(xml.encode()) if form == "zst" else gzip.compress(xml.encode())
        path.write_bytes(packed)
        path.with_name(f"{path.name}.jcat").unlink(missing_ok=True)
        (keys or self.keys).sign(path.with_name(f"{path.name}.jcat"), path)
        return path


def component(name: str, guid: str, releases: str) -> str:
    """A component of firmware."""
    return (
        f'<component type="firmware"><id>com.example.{name}.firmware</id><name>{name}</name><summary>s</summary>'
        "<developer_name>ACME</developer_name><metadata_license>CC0-1.0</metadata_license>"
        f'<project_license>proprietary</project_license><provides><firmware type="flashed">{guid}</firmware></provides>'
        f"<releases>{releases}</releases>"
        '<custom><value key="LVFS::UpdateProtocol">com.acme.test</value>'
        '<value key="LVFS::VersionFormat">triplet</value></custom></component>'
    )


def build_cab(path: Path, name: str, guid: str, version: str, keys: Keys | None, bulk: int = 0) -> Path:
    """A cab with a payload, which `bulk` random bytes make larger, and signatures in it when there are keys."""
    folder = path.with_name(f".{path.stem}")
    folder.mkdir()
    payload = folder / "firmware.bin"
    major, minor, micro = (int(part) for part in version.split("."))
    begin = f"0x{major:x}{minor:02x}{micro:04x}\n"  # which fwupd's test device takes for its new version
    payload.write_bytes((begin + f"{name} {version}\n" * 3000).encode() + os.urandom(bulk))
    inner = (
        f'<release version="{version}" date="2026-01-02"><checksum target="content" filename="firmware.bin"/></release>'
    )
    description = folder / "firmware.metainfo.xml"
    description.write_text('<?xml version="1.0" encoding="UTF-8"?>' + component(name, guid, inner))
    files = [payload, description]
    if keys is not None:
        jcat = folder / "firmware.jcat"
        for file in files:
            keys.sign(jcat, file)
        files = [*files, jcat]
    said("gcab", "--create", "--zip", "--nopath", str(path), *map(str, files))
    shutil.rmtree(folder)
    return path


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def signatures(path: Path) -> dict[str, Any]:
    """What a file of signatures says."""
    document: dict[str, Any] = json.loads(zlib.decompressobj(31).decompress(path.read_bytes()))
    return document


def write_signatures(path: Path, document: dict[str, Any]) -> None:
    """Replace what a file of signatures says."""
    path.write_bytes(gzip.compress(json.dumps(document).encode()))


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def long_ago(days: int) -> datetime:
    """So many days ago."""
    return datetime.now(UTC) - timedelta(days=days)


def said(*argv: str) -> str:
    """What a tool printed; the test fails when it does."""
    ran = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    return ran.stdout.strip()
