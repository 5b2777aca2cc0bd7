"""A stand-in for a package index, on loopback: small wheels made here, pages as PEP 503 and PEP 691 have them."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote, unquote

from tests.support.loopback import Loopback

JSON_TYPE = "application/vnd.pypi.simple.v1+json"


def build_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    tag: str = "py3-none-any",
    *,
    called: str | None = None,
    said_tag: str | None = None,
    requires: tuple[str, ...] = (),
    python: str | None = None,
    more: Mapping[str, bytes] | None = None,
) -> Path:
    """A wheel with one module; `called` is the name in its METADATA where that is another, `said_tag` that of WHEEL."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {called or name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {each}\n" for each in requires)
    metadata += f"Requires-Python: {python}\n" if python else ""
    files = {
        f"{module}.py": f"NAME = {name!r}\n".encode(),
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {said_tag or tag}\n".encode(),
        **(more or {}),
    }
    record = "".join(f"{path},,\n" for path in files) + f"{info}/RECORD,,\n"
    target = folder / f"{module}-{version}-{tag}.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in {**files, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(zipfile.ZipInfo(path), content)
    return target


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lock_line(path: Path, marker: str = "", digest: str | None = None) -> str:
    """What a lock file says of a wheel."""
    name, version = path.name.split("-")[:2]
    pinned = f"{name.replace('_', '-')}=={version}{f' ; {marker}' if marker else ''}"
    return f"{pinned} \\\n    --hash=sha256:{digest or sha256(path)}\n"


class Index(Loopback):
    """Serves the files of a folder, and pages made of them; `asked` are the paths that were asked for.

    With `speaks_json` off it knows HTML alone. `before` is called with the name of a file before it is given.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked = folder, list[str]()
        self.speaks_json = True
        self.before: Callable[[str], None] = lambda _: None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        return f"{self.origin}/simple"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        kind, content = self.page(request.path, request.headers.get("Accept", ""))
        request.send_response(200 if content is not None else 404)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(content or b"")))
        request.end_headers()
        request.wfile.write(content or b"")

    def page(self, path: str, accept: str) -> tuple[str, bytes | None]:
        """The media type and the content of a path, None where there is none."""
        if path.startswith("/files/"):
            file = self.folder / unquote(path.removeprefix("/files/"))
            self.before(file.name)
            return "application/octet-stream", file.read_bytes() if file.is_file() else None
        name = path.removeprefix("/simple/").rstrip("/")
        found = [each for each in sorted(self.folder.iterdir()) if self._belongs(each, name)]
        if not found:
            return "text/plain", None
        if self.speaks_json and JSON_TYPE in accept:
            files = [
                {"filename": each.name, "url": f"/files/{quote(each.name)}", "hashes": {"sha256": self.claims(each)},
                 "size": each.stat().st_size} for each in found
            ]  # fmt: skip
            return JSON_TYPE, json.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": files}).encode()
        links = "".join(
            f'<a href="/files/{quote(each.name)}#sha256={self.claims(each)}">{each.name}</a>' for each in found
        )
        return "text/html", f"<!DOCTYPE html><html><body>{links}</body></html>".encode()

    def claims(self, path: Path) -> str:
        """The digest that the page says; that of the file unless one beside it says otherwise."""
        other = path.with_name(f"{path.name}.claimed")
        return other.read_text() if other.exists() else sha256(path)

    @staticmethod
    def _belongs(path: Path, name: str) -> bool:
        return path.suffix in {".whl", ".gz"} and path.name.split("-")[0].replace("_", "-").lower() == name
