"""A stand-in for a Hub of models, on loopback: real repositories of git behind git's own server, and files."""

import base64
import hashlib
import os
import re
import subprocess
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.support.loopback import Loopback

BACKEND = Path("/usr/lib/git-core/git-http-backend")
_GIT = re.compile(r"/([^/]+/[^/]+)/(info/refs|git-upload-pack)")
_RESOLVE = re.compile(r"/([^/]+/[^/]+)/resolve/([0-9a-f]{40})/(.+)")


def pointer(content: bytes, size: int | None = None) -> bytes:
    """A pointer of Git LFS to a content; `size` is what it says where that is something else."""
    digest = hashlib.sha256(content).hexdigest()
    said = len(content) if size is None else size
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {said}\n".encode()


class Hub(Loopback):
    """`given` are contents by repository and path, which lie in Git LFS; `asked` what was asked for, with its range.

    With `token` it wants to be shown one; `sent_to` is where it sends for files. `before` is called with a path before
    its content is given, and how many bytes of it are given first is what it returns. An `old` one gives the newest
    commits by their ids, and no other.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.given: dict[tuple[str, str], bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.shown: list[str] = []
        self.token: str | None = None
        self.sent_to: str | None = None
        self.before: Callable[[str], int | None] = lambda _: None
        self.wait = threading.Event()
        self.endless = False
        self.old = False

    def commit(self, repository: str, files: Mapping[str, bytes], lfs: Mapping[str, bytes] | None = None) -> str:
        """Commit files to a repository, pointers for those in Git LFS; the id of the commit."""
        for path, content in (lfs or {}).items():
            self.given[repository, path] = content
        place = self.folder / repository
        if not place.exists():
            place.mkdir(parents=True)
            git(place, "init", "--bare", "--quiet", "--initial-branch=main")
        begun = subprocess.run(
            ["git", "-C", place, "rev-parse", "--quiet", "--verify", "main"], capture_output=True, check=False
        )
        lines = ["commit refs/heads/main", "committer Test <test@example.net> 1790000000 +0000", "data 4", "test"]
        lines += ["from refs/heads/main^0"] * (begun.returncode == 0) + ["deleteall"]
        stream = "\n".join(lines).encode() + b"\n"
        for path, content in {**files, **{path: pointer(content) for path, content in (lfs or {}).items()}}.items():
            stream += f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n"
        subprocess.run(["git", "-C", place, "fast-import", "--quiet", "--force"], input=stream + b"done\n", check=True)
        return git(place, "rev-parse", "main").strip()

    def __exit__(self, *_: object) -> None:
        self.wait.set()
        super().__exit__()

    @property
    def url(self) -> str:
        return self.origin

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        shown = request.headers.get("Authorization", "")
        self.asked.append((parts.path, request.headers.get("Range", "")))
        self.shown.append(shown)
        if self.token is not None and not self._knows(shown):
            _plain(request, 401, b"")
        elif match := _GIT.fullmatch(parts.path):
            self._git(request, match[1], match[2], parts.query)
        elif match := _RESOLVE.fullmatch(parts.path):
            self._file(request, match[1], unquote(match[3]))
        else:
            _plain(request, 404, b"")

    def _knows(self, shown: str) -> bool:
        if shown.startswith("Basic "):
            return base64.b64decode(shown.removeprefix("Basic ")).decode().endswith(f":{self.token}")
        return shown == f"Bearer {self.token}"

    def _file(self, request: BaseHTTPRequestHandler, repository: str, path: str) -> None:
        content = self.given.get((repository, path))
        if content is None:
            _plain(request, 404, b"")
            return
        if self.sent_to is not None:
            request.send_response(302)
            request.send_header("Location", f"{self.sent_to}{request.path}")
            request.end_headers()
            return
        if self.endless:
            self._flood(request)
            return
        begin = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        request.send_response(206 if begin else 200)
        request.send_header("Content-Length", str(len(content) - begin))
        request.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        request.end_headers()
        first = self.before(path)
        if first is not None:
            request.wfile.write(content[begin : begin + first])
            self.wait.wait(60)
            return
        request.wfile.write(content[begin:])

    @staticmethod
    def _flood(request: BaseHTTPRequestHandler) -> None:
        """Say no length, and give a hundred MiB."""
        request.send_response(200)
        request.end_headers()
        try:
            for _ in range(100):
                request.wfile.write(bytes(2**20))
        except OSError:
            pass

    def _git(self, request: BaseHTTPRequestHandler, repository: str, service: str, query: str) -> None:
        length = int(request.headers.get("Content-Length") or 0)
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self.folder), "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{repository}/{service}", "QUERY_STRING": query, "REQUEST_METHOD": request.command,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": "" if self.old else request.headers.get("Git-Protocol", ""),
        }  # fmt: skip
        ran = subprocess.run(
            [BACKEND], input=request.rfile.read(length), capture_output=True, env=environment, check=False
        )
        head, _, body = ran.stdout.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().splitlines()]
        status = next((int(value.split()[0]) for key, value in fields if key == "Status"), 200)
        request.send_response(status)
        for key, value in fields:
            if key != "Status":
                request.send_header(key, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


def git(place: Path, *words: str) -> str:
    """What git printed."""
    return subprocess.run(["git", "-C", place, *words], check=True, capture_output=True, text=True).stdout


def _plain(request: BaseHTTPRequestHandler, status: int, content: bytes) -> None:
    request.send_response(status)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)
