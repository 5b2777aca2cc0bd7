"""Servers that never end: the kernel ends a tool before it fills the disk; and settings of others do not hold."""

import contextlib
import json
import shutil
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sparkctl.airgap.mirrors import skopeo
from sparkctl.airgap.mirrors.download import download
from sparkctl.airgap.mirrors.images_documents import digest
from sparkctl.airgap.mirrors.images_fetch import certificates
from sparkctl.airgap.mirrors.skopeo import Skopeo
from tests.support.registries import OCI, Authority, Images

pytestmark = pytest.mark.slow


class _Endless(BaseHTTPRequestHandler):
    """What is known by its path; any other content far beyond what anybody was told."""

    known: dict[str, tuple[str, bytes]]
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.headers.get("User-Agent", ""))
        name = self.path.rpartition("/")[2]
        media_type, content = self.known.get(name, ("application/octet-stream", b""))
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        if content or not name:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(content)
            for _ in range(0 if content or not name else 1000):
                self.wfile.write(b"\0" * 65536)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def serving(known: dict[str, tuple[str, bytes]], authority: Authority | None = None) -> Iterator[tuple[str, list[str]]]:
    """HOST:PORT of such a server, and the names of the programs that asked it."""
    programs: list[str] = []
    handler = type("Handler", (_Endless,), {"known": known, "asked": programs})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        if authority is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(authority.certificate, authority.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}", programs
        server.shutdown()


@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not here: apt-get install skopeo")
def test_a_layer_without_an_end_does_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(skopeo, "_MAX_LOG", 2**20)
    images = Images(tmp_path / "layout", OCI)
    root = images.manifest("linux/arm64", [images.layer("one")])
    manifest = images.read(root)
    content, config = json.dumps(manifest).encode(), manifest["config"]
    blob = (tmp_path / "layout/blobs/sha256" / config["digest"].removeprefix("sha256:")).read_bytes()
    known = {digest(content): (OCI["manifest"], content), config["digest"]: ("application/octet-stream", blob)}
    authority = Authority(tmp_path / "ca")
    with serving(known, authority) as (host, _):
        access = Skopeo(certificates(authority.ca.read_text(), tmp_path / "certificates"), None, tmp_path / "log")
        ran = access.bring(f"{host}/a/b@{digest(content)}", tmp_path / "brought", tmp_path / "blobs", 1000)
    assert ran.status != 0
    assert "file too large" in ran.tail


def test_curl_goes_by_no_settings_of_the_one_who_runs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".curlrc").write_text(f'user-agent = "somebody"\ninsecure\ndump-header = "{tmp_path}/headers"\n')
    with serving({"file": ("text/plain", b"hello")}) as (host, asked):
        download(f"http://{host}/file", tmp_path / "got", tmp_path / "log", limit=10)
    assert (tmp_path / "got").read_bytes() == b"hello"
    assert all(program.startswith("curl/") for program in asked)
    assert not (tmp_path / "headers").exists()
