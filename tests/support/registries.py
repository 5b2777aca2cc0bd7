"""Images made by hand, as registries keep them, and registries with TLS on loopback that have them."""

import gzip
import hashlib
import io
import json
import os
import socket
import ssl
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DOCKER = {
    "index": "application/vnd.docker.distribution.manifest.list.v2+json",
    "manifest": "application/vnd.docker.distribution.manifest.v2+json",
    "config": "application/vnd.docker.container.image.v1+json",
    "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
OCI = {
    "index": "application/vnd.oci.image.index.v1+json",
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "config": "application/vnd.oci.image.config.v1+json",
    "layer": "application/vnd.oci.image.layer.v1.tar+gzip",
}
Entry = dict[str, Any]


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Images:
    """An OCI layout in a folder, written by hand; `words` are the media types of OCI or of Docker."""

    folder: Path
    words: dict[str, str] = field(default_factory=lambda: OCI)

    def blob(self, content: bytes, media_type: str) -> Entry:
        place = self.folder / "blobs/sha256"
        place.mkdir(parents=True, exist_ok=True)
        found = digest_of(content)
        (place / found[7:]).write_bytes(content)
        return {"mediaType": media_type, "digest": found, "size": len(content)}

    def layer(self, text: str) -> Entry:
        """A layer with one file."""
        return self.blob(gzip.compress(self.tar(text), mtime=0), self.words["layer"])

    @staticmethod
    def tar(text: str) -> bytes:
        """What is in a layer, not compressed."""
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as tar:
            member = tarfile.TarInfo("said")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
        return raw.getvalue()

    def manifest(self, platform: str, layers: list[Entry], config: bytes | None = None, **more: Any) -> Entry:
        """A manifest; the entry says its platform, as an index does."""
        system, architecture, *variant = platform.split("/")
        where = {"os": system, "architecture": architecture} | ({"variant": variant[0]} if variant else {})
        ids = [layer["digest"] for layer in layers]
        written = config or json.dumps({**where, "config": {}, "rootfs": {"type": "layers", "diff_ids": ids}}).encode()
        document = {
            "schemaVersion": 2,
            "mediaType": self.words["manifest"],
            "config": self.blob(written, self.words["config"]),
            "layers": layers,
            **more,
        }
        return self.document(document) | {"platform": where}

    def image(self, text: str, *platforms: str) -> Entry:
        """An index of an image that says `text` on each platform."""
        return self.index([self.manifest(platform, [self.layer(f"{text} on {platform}")]) for platform in platforms])

    def index(self, manifests: list[Entry], **more: Any) -> Entry:
        return self.document(
            {"schemaVersion": 2, "mediaType": self.words["index"], "manifests": manifests, **more}
        )  # fmt: skip

    def document(self, document: Entry) -> Entry:
        return self.blob(json.dumps(document, indent=2).encode(), document["mediaType"])

    def read(self, entry: Entry) -> Entry:
        found: Entry = json.loads((self.folder / "blobs/sha256" / entry["digest"][7:]).read_bytes())
        return found

    def name(self, entry: Entry) -> None:
        """Have the layout lead to one content."""
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        plain = {key: entry[key] for key in ("mediaType", "digest", "size")}
        (self.folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [plain]}))


class Authority:
    """A CA, and a certificate of it for loopback, in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.ca, self.certificate, self.key = folder / "ca.pem", folder / "server.pem", folder / "server.key"
        own, theirs = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        ca = _signed("CA of a test", own.public_key(), "CA of a test", own, None)
        server = _signed("localhost", theirs.public_key(), "CA of a test", own, "localhost")
        self.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
        self.certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))
        self.key.write_bytes(
            theirs.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


def _signed(
    name: str, key: ec.EllipticCurvePublicKey, issuer: str, by: ec.EllipticCurvePrivateKey, host: str | None
) -> x509.Certificate:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
        subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=1),
    ).add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
    if host is not None:
        names = [x509.DNSName(host), x509.IPAddress(ip_address("127.0.0.1"))]
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return made.sign(by, hashes.SHA256())


@dataclass(frozen=True)
class Registry:
    """A registry that runs: its address, and where it notes who asked for what."""

    host: str
    log: Path
    authority: Authority

    def take(self, images: Images, root: Entry, name: str, *more: str) -> None:
        """Have it take an image with all its platforms, pushed as its maker would."""
        images.name(root)
        self.skopeo(
            "copy", "--all", "--preserve-digests", "--dest-cert-dir", str(self.certificates), *more,
            f"oci:{images.folder}", f"docker://{self.host}/{name}",
        )  # fmt: skip

    def raw(self, reference: str) -> bytes:
        """A manifest as it gives it out."""
        return self.skopeo(
            "inspect", "--raw", "--cert-dir", str(self.certificates), f"docker://{self.host}/{reference}"
        )

    def get(self, path: str, accept: str) -> bytes:
        """What it answers to one who asks for a path over TLS."""
        context = ssl.create_default_context(cafile=str(self.authority.ca))
        line = HTTPSConnection(self.host, timeout=60, context=context)
        line.request("GET", path, headers={"Accept": accept})
        content = line.getresponse().read()
        line.close()
        return content

    def pull(self, reference: str, folder: Path) -> None:
        """Pull an image by name, each content to a file."""
        self.skopeo(
            "copy", "--override-arch", "arm64", "--src-cert-dir", str(self.certificates),
            f"docker://{self.host}/{reference}", f"dir:{folder}",
        )  # fmt: skip

    def asked(self, words: str) -> int:
        """How many lines of its log have these words."""
        return sum(words in line for line in self.log.read_text(errors="replace").splitlines())

    @property
    def certificates(self) -> Path:
        folder = self.authority.ca.parent / "certificates"
        folder.mkdir(exist_ok=True)
        (folder / "ca.crt").write_bytes(self.authority.ca.read_bytes())
        return folder

    def skopeo(self, *words: str) -> bytes:
        ran = subprocess.run(["skopeo", "--insecure-policy", *words], capture_output=True, check=False)
        assert ran.returncode == 0, ran.stderr.decode()
        return ran.stdout


@contextmanager
def running(folder: Path, authority: Authority, **more: Entry) -> Iterator[Registry]:
    """A registry of Debian's package, with TLS, as long as the block lasts; `more` is of its settings."""
    folder.mkdir(parents=True)
    for _ in range(5):  # another test may take the port between our look and the registry's
        port = _free_port()
        settings = {
            "version": 0.1,
            "log": {"level": "info", "accesslog": {"disabled": False}},
            "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
            "http": {
                "addr": f"127.0.0.1:{port}",
                "tls": {"certificate": str(authority.certificate), "key": str(authority.key)},
            },
            **more,
        }
        (folder / "config.yml").write_text(json.dumps(settings))
        log = folder / "log"
        with log.open("wb") as said:
            child = subprocess.Popen(
                ["docker-registry", "serve", str(folder / "config.yml")],
                stdout=said, stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"},
            )  # fmt: skip
        try:
            if _answers(child, port, authority):
                yield Registry(f"localhost:{port}", log, authority)
                return
        finally:
            child.kill()
            child.wait()
    raise AssertionError(f"no registry would start: {log.read_text()}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _answers(child: subprocess.Popen[bytes], port: int, authority: Authority) -> bool:
    context = ssl.create_default_context(cafile=str(authority.ca))
    for _ in range(600):
        if child.poll() is not None:
            return False
        try:
            with socket.create_connection(("127.0.0.1", port), 10) as line:
                context.wrap_socket(line, server_hostname="localhost").close()
                return True
        except OSError:
            time.sleep(0.05)
    return False
