"""Both sides of an air gap in one folder: keys of people, rules of the far side, and what carries between them."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparkctl.airgap.layout import BOM, FILES, MANIFEST, SUMS, files_text, sums_text
from sparkctl.model.canonical import canonical_json
from sparkctl.model.transfer import TransferManifest
from tests.support.command import sparkctl

Ran = subprocess.CompletedProcess[str]
CLEAN = ["grep", "-rqvaF", "no virus has this in it", "{folder}"]  # ends with 0: some line is another


@dataclass(frozen=True)
class Gap:
    """`top` holds a folder for each side; commands of the near side and of the far side have a state of their own."""

    top: Path

    @property
    def source(self) -> Path:
        return self.top / "source"

    @property
    def tree(self) -> Path:
        return self.top / "tree"

    @property
    def quarantine(self) -> Path:
        return self.top / "quarantine"

    def key(self, name: str) -> Path:
        """The private key of somebody, made when it is first asked for."""
        path = self.top / "keys" / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
        return path

    def allow(self, people: Mapping[str, str]) -> Path:
        """Allow these keys, each with the name of whom it belongs to."""
        path = self.top / "signers"
        path.write_text(
            "".join(f"{who} {self.key(key).with_suffix('.pub').read_text()}" for key, who in people.items())
        )
        return path

    def rules(self, signatures: int = 1, scan: list[str] | None = None, **more: Any) -> Path:
        path = self.top / "airgap.yaml"
        document = {
            "version": 1,
            "allowed_signers": "signers",
            "signatures": signatures,
            "scan": {"command": scan or CLEAN},
            **more,
        }
        path.write_text(json.dumps(document))  # JSON is YAML
        return path

    def write(self, files: Mapping[str, bytes]) -> None:
        """Put files into the source."""
        for path, content in files.items():
            place = self.source / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)

    def near(self, *arguments: str | Path, **how: Any) -> Ran:
        return sparkctl(
            "airgap", *arguments, "--format", "human", home=self.top, SPARKCTL_STATE=str(self.top / "near"), **how
        )

    def far(self, *arguments: str | Path, **how: Any) -> Ran:
        return sparkctl(
            "airgap", *arguments, "--format", "human", home=self.top, SPARKCTL_STATE=str(self.top / "far"), **how
        )

    def pack(self, *more: str | Path, stream: str = "tools", keys: tuple[str, ...] = ("alice",)) -> Ran:
        named = [word for key in keys for word in ("--key", self.key(key))]
        return self.near("pack", self.source, "--stream", stream, "--out", self.top / "out", *named, *more)

    def packed(self, number: int, stream: str = "tools") -> Path:
        return self.top / "out" / f"{stream}-{number:08}"

    def bring(self, number: int, stream: str = "tools") -> Ran:
        """Verify a bundle into quarantine, where it is scanned."""
        return self.far(
            "verify", self.packed(number, stream), "--site", self.top / "airgap.yaml", "--into", self.quarantine
        )

    def apply(self, number: int, *more: str | Path, stream: str = "tools", to: Path | None = None) -> Ran:
        return self.far(
            "apply", self.quarantine / f"{stream}-{number:08}", "--site", self.top / "airgap.yaml",
            "--to", to or self.tree, *more,
        )  # fmt: skip

    def cross(self, number: int, *more: str | Path) -> None:
        """Bring and apply, which must do."""
        for ran in (self.bring(number), self.apply(number, *more)):
            assert ran.returncode == 0, ran.stderr


def gap_in(folder: Path) -> Gap:
    """A gap where alice and bob may sign, and one signature does."""
    made = Gap(folder)
    made.source.mkdir(parents=True)
    made.allow({"alice": "alice", "bob": "bob"})
    made.rules()
    return made


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def must(ran: Ran) -> Ran:
    assert ran.returncode == 0, ran.stderr
    return ran


def refused(ran: Ran, code: int, words: str) -> None:
    """One sentence and a hint, no traceback."""
    assert ran.returncode == code, (ran.returncode, ran.stdout, ran.stderr)
    said = [line for line in ran.stderr.splitlines() if line.startswith("sparkctl: ")]
    assert len(said) == 1, ran.stderr
    assert words in said[0]
    assert "Traceback" not in ran.stderr


def forge(bundle: Path, key: Path, change: Callable[[dict[str, Any]], None] | None = None) -> None:
    """Make a bundle whole and signed again after its manifest or its parts were changed."""
    document = json.loads((bundle / MANIFEST).read_bytes())
    for part in document["parts"]:
        content = (bundle / part["name"]).read_bytes()
        part["size"], part["sha256"] = len(content), hashlib.sha256(content).hexdigest()
    if change:
        change(document)
    (bundle / MANIFEST).write_bytes(canonical_json(document))
    listed = "".join(f"{file['sha256']}  {file['path']}\n" for file in document["files"])
    (bundle / FILES).write_text(listed)
    names = [MANIFEST, FILES, BOM, *(part["name"] for part in document["parts"])]
    digests = {
        name: hashlib.sha256((bundle / name).read_bytes()).hexdigest() for name in names if (bundle / name).is_file()
    }
    (bundle / SUMS).write_bytes(sums_text(digests))
    for signature in bundle.glob("*.sig"):
        signature.unlink()
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", "spark-transfer", bundle / SUMS], check=True,
        capture_output=True,
    )  # fmt: skip


def copied(bundle: Path, to: Path) -> Path:
    """A copy of a bundle under the same name in another folder."""
    return Path(shutil.copytree(bundle, to / bundle.name))


def manifest_of(bundle: Path) -> TransferManifest:
    """The manifest of a bundle, whose list of files must say the same."""
    found = TransferManifest.model_validate_json((bundle / MANIFEST).read_bytes())
    assert files_text(found) == (bundle / FILES).read_bytes()
    return found
