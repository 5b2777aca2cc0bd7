"""A signed archive on the internet side, its mirror.yaml, and a bastion on each side of the gap."""

import contextlib
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.airgap.gaps import Gap, Ran
from tests.support.archive import Archive, GpgHome
from tests.support.command import sparkctl
from tests.support.web import nginx, served


def require_tools(*more: str) -> None:
    """Skip, loudly, where a tool is not installed."""
    missing = [tool for tool in ("debmirror", "curl", *more) if shutil.which(tool) is None]
    missing += Archive.missing().split() + ([] if nginx() else ["nginx"])
    if missing:
        pytest.skip(f"NOT INSTALLED, and not tried with mirrors: {' '.join(missing)}")


@dataclass(frozen=True)
class Mirroring:
    """`top` holds the origin's web root, the keys, and the folder of mirrors; `url` is where the origin is served."""

    top: Path
    url: str
    keys: GpgHome
    archive: Archive

    @property
    def file(self) -> Path:
        return self.top / "mirror.yaml"

    @property
    def shelf(self) -> Path:
        return self.top / "mirror"

    def settings(self, **more: Any) -> None:
        """Write mirror.yaml with one mirror, `ubuntu`, some keys of which are others."""
        ubuntu = {
            "uri": f"{self.url}/ubuntu-ports/", "suites": ["noble", "noble-updates"],
            "components": ["main", "universe"], "signed_by": "owner.asc",
        }  # fmt: skip
        self.write({"ubuntu": ubuntu | more})

    def write(self, apt: dict[str, Any], **more: Any) -> None:
        document = {"version": 1, "folder": "mirror", "url": "http://127.0.0.1:8123", "apt": apt, **more}
        self.file.write_text(json.dumps(document))  # JSON is YAML

    def run(self, verb: str, *arguments: str | Path, form: str = "human", **how: Any) -> Ran:
        environment = {"GNUPGHOME": str(self.keys.folder), **how}
        words = ("airgap", "mirror", verb, self.file, *arguments)
        return sparkctl(*words, "--format", form, home=self.top, timeout=120, **environment)

    def said(self, verb: str, *arguments: str | Path) -> list[dict[str, Any]]:
        """What a command that must succeed prints for programs."""
        ran = self.run(verb, *arguments, form="jsonl")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return [json.loads(line) for line in ran.stdout.splitlines()]

    def publish(self, *suites: str) -> None:
        """Sign these suites anew, or both."""
        for suite in suites or ("noble", "noble-updates"):
            self.archive.sign(suite, ("main", "universe"), Acquire_By_Hash="yes")


def mirroring(top: Path, url: str) -> Mirroring:
    """An archive of five packages, four of which are for arm64."""
    keys = GpgHome()
    keys.make("owner")
    keys.public("owner", top / "owner.asc")
    made = Mirroring(top, url, keys, Archive(top / "www/ubuntu-ports", keys, "owner"))
    for name in ("tool", "driver", "kernel"):
        made.archive.add(name, "1.0")
    made.archive.add("manual", "1.0", component="universe", architecture="all")
    made.archive.add("foreign", "1.0", architecture="amd64")
    made.publish()
    made.settings()
    return made


def gap_of(top: Path) -> Gap:
    """An air gap beside the mirrors, whose rules want two people."""
    gap = Gap(top)
    gap.allow({"alice": "alice", "bob": "bob"})
    gap.rules(signatures=2)
    return gap


@contextlib.contextmanager
def served_copy(template: Mirroring, top: Path) -> Iterator[Mirroring]:
    """The archive of a template, copied and served; its keys are shared."""
    shutil.copytree(template.top / "www", top / "www")
    shutil.copy(template.top / "owner.asc", top)
    with served(top / "www", top / "nginx") as url:
        made = Mirroring(top, url, template.keys, Archive(top / "www/ubuntu-ports", template.keys, "owner"))
        made.settings()
        yield made


@contextlib.contextmanager
def template_in(top: Path) -> Iterator[Mirroring]:
    """An archive to be copied for each test."""
    require_tools()
    made = mirroring(top, "http://127.0.0.1:1")
    try:
        yield made
    finally:
        made.keys.close()


def gone_on_after(ran: Ran, code: int, what: str, words: str) -> None:
    """One mirror or snapshot is told in one sentence with what to do, and the others in theirs."""
    assert ran.returncode == code, ran.stdout + ran.stderr
    [said] = [line for line in ran.stdout.splitlines() if what in line]
    assert words in said
    assert "\n  → " in ran.stdout
    assert ran.stderr == ""


def not_synced(mirrors: Mirroring, code: int, *arguments: str, **how: str) -> str:
    """Why a sync failed, in one sentence with what to do; no snapshot was made."""
    before = snapshots(mirrors)
    ran = mirrors.run("sync", *arguments, **how)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    lines = ran.stdout.splitlines()
    [said] = [line for line in lines if "NOT SYNCED" in line]
    assert any(line.startswith("  → ") for line in lines)
    assert snapshots(mirrors) == before
    return said


def wait_for_another_second(mirrors: Mirroring) -> None:
    """A snapshot is named by its second."""
    while datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ") <= max(path.name for path in snapshots(mirrors)):
        time.sleep(0.02)


def snapshots(mirrors: Mirroring) -> list[Path]:
    return sorted((mirrors.shelf / "snapshots").glob("*/*"))


def change(path: Path) -> None:
    """Turn one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
