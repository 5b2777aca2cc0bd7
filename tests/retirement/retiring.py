"""A machine of a lab that is to be retired: with its ledger, two people who approve, and a file of details."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparkctl.lab import control
from sparkctl.lab.state import Lab
from sparkctl.resources import shipped
from tests.support.command import json_lines, sparkctl
from tests.support.labs import running_lab

NODE, DRIVE = "sim-01", "SIMNVME000001"
PERSON = "{title: Technician, location: Hall 3, contact: ops@example.org, name: "
DETAILS = f"""\
version: 1
property_number: INV-4711
source: rack a1
classification: confidential
classification_after: none
backup: none was kept
destination: Example Recycling
identity_checked: receipt 2026-01-12
people:
  performed: {PERSON}Ann Operator}}
  verified: {PERSON}Bob Verifier}}
  validated: {PERSON}Vic Validator}}
"""
PURGE, BARE_PURGE = "retirement/purge", "retirement/bare-purge"
"""Ours, and that of a site which takes no bundle before it: all other steps are the same."""

WITNESSED = "2026-06-02T10:00Z"


def destroyed(*serials: str) -> str:
    """What is added to the details when these were destroyed."""
    by, seen = (f"{PERSON}{name}, at: '{WITNESSED}'}}" for name in ("Sid Shredder", "Wes Witness"))
    more = f"technique: shred, tool: Example 4000, largest_mm: 2, performed: {by}, witnessed: {seen}"
    rows = [f"  - {{serial: {serial}, {more}}}" for serial in serials]
    return "\n".join(["destroyed:", *rows, ""])


@dataclass(frozen=True)
class Retiring:
    """The operator's desk."""

    lab: Lab
    home: Path

    @property
    def details(self) -> Path:
        return self.home / "details.yaml"

    @property
    def state(self) -> Path:
        return self.home / "state"

    @property
    def serial(self) -> str:
        return self.lab.node(NODE).serial

    def run(self, *words: str | Path, code: int | None = 0, fleet: bool = True) -> subprocess.CompletedProcess[str]:
        places = ["--fleet", str(self.lab.fleet_file)] if fleet else []
        ran = sparkctl(*words, *places, "--state", self.state, "--format", "jsonl", home=self.home, timeout=120)
        if code is not None:
            assert ran.returncode == code, f"{words}: {ran.returncode}\n{ran.stdout[-3000:]}\n{ran.stderr}"
        return ran

    def book(self, verb: str, *words: str | Path, code: int | None = 0) -> list[dict[str, Any]]:
        """A command of `playbook`, with the site where it takes one."""
        site: list[str | Path] = (
            [] if verb in ("stop", "answer", "journal") else ["--site", self.home / "playbooks.yaml"]
        )
        return json_lines(self.run("playbook", verb, *words, *site, code=code))

    def approved(self, name: str, people: int, **values: str | Path) -> str:
        """A plan that so many people approved."""
        sets = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
        run_id = str(self.book("plan", name, NODE, *sets)[0]["run_id"])
        for who in ("alice", "bob")[:people]:
            self.book("approve", run_id, "--key", self.home / who)
        return run_id

    def answered(self, run_id: str, code: int = 5, answer: str = "done") -> dict[str, Any]:
        """How the run stands after what it asks was answered, and it went on."""
        self.book("answer", run_id, NODE, answer, "--why", "seen")
        return self.book("resume", run_id, code=code)[-1]

    def steps(self, run_id: str) -> dict[str, dict[str, Any]]:
        """How each step ended."""
        events = [entry["event"] for entry in self.book("journal", run_id)]
        return {event["step"]: event for event in events if event["what"] == "ended"}

    def where(self) -> str:
        """The state of the machine."""
        return str(json_lines(self.run("node", "show", NODE))[0]["state"])

    def files(self, run_id: str) -> Path:
        """The folder of the machine in a run."""
        return self.state / "playbooks" / run_id / NODE

    def broken(self, fault: str) -> None:
        """The machine is started from the live system, with a drive that behaves so."""
        control.break_node(self.lab.directory, NODE, fault)

    def purge(self, name: str = BARE_PURGE, **more: str) -> str:
        """A plan to purge the machine that two people approved."""
        return self.approved(name, 2, serial=DRIVE, details=self.details, key=self.home / "alice", **more)

    def purging(self, fault: str = "live-system", name: str = BARE_PURGE, **more: str) -> tuple[str, dict[str, Any]]:
        """A purge until it asks whether it is well, or is over."""
        run_id = self.purge(name, **more)
        self.book("run", run_id, code=5)
        self.broken(fault)
        self.book("answer", run_id, NODE, "done", "--why", "live, serial as on the receipt")
        return run_id, self.book("resume", run_id, code=None)[-1]


@contextmanager
def retiring(home: Path) -> Iterator[Retiring]:
    """One in maintenance, by its ledger."""
    signers = []
    for who in ("alice", "bob"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / who)], check=True)
        signers.append(f"{who} {' '.join((home / f'{who}.pub').read_text().split()[:2])}\n")
    (home / "signers").write_text("".join(signers))
    (home / "playbooks.yaml").write_text("version: 1\nfolder: own\nallowed_signers: signers\n")
    _write_bare_purge(home / "own")
    (home / "paper.txt").write_text("a ticket, a receipt\n")
    with running_lab(home / "lab", 1, ["founders"]) as lab:
        desk = Retiring(lab, home)
        desk.details.write_text(DETAILS)
        paper = home / "paper.txt"
        desk.run("node", "move", NODE, "in_service", "--reason", "x", "--evidence", f"adoption.recorded={paper}")
        desk.run("node", "move", NODE, "maintenance", "--reason", "x", "--evidence", f"maintenance.planned={paper}")
        yield desk


def _write_bare_purge(folder: Path) -> None:
    whole = (shipped("playbooks") / f"{PURGE}.yaml").read_text()
    bare, cut = re.subn(r"^  - id: evidence\n(    .*\n)+", "", whole, flags=re.MULTILINE)
    assert cut == 1
    path = folder / f"{BARE_PURGE}.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(bare)
