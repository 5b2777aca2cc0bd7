"""A machine from the purchase order into service, through maintenance and an incident, by playbooks and over SSH."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sparkctl.lab import control
from sparkctl.lab.state import Lab
from tests.support.command import json_lines, sparkctl
from tests.support.labs import running_lab

pytestmark = pytest.mark.slow

ORDER = "PO Number,Line,Part Number,Qty,SSD,Memory\n4500017,10,SPARK-4TB,2,4 TB,128 GB\n"
NOTICE = (
    "PO Number,Line,Serial Number,Part Number\n4500017,10,SIM0000000001,SPARK-4TB\n4500017,10,SIM0000000002,SPARK-4TB\n"
)
SCANS = "code,scanned_by\nSSIM0000000001 1PSPARK-4TB,ann\n(21)SIM0000000002(240)SPARK-4TB,ann\n"
BOTH = (NODE, BROKEN) = ("sim-01", "sim-02")
"""What was delivered: the machine that goes all the way, and one that does not pass its acceptance test."""


@dataclass(frozen=True)
class Bastion:
    """A bastion with a lab in front of it, papers of a delivery, and somebody who may approve."""

    lab: Lab
    home: Path

    def do(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        ran = sparkctl(
            *words,
            "--format",
            "jsonl",
            home=self.home,
            timeout=600,
            SPARKCTL_FLEET=str(self.lab.fleet_file),
            SPARKCTL_STATE=str(self.home / "state"),
            SPARKCTL_PLAYBOOKS=str(self.home / "playbooks.yaml"),
        )
        assert ran.returncode == code, f"{' '.join(words)}\n{ran.stdout[-2500:]}\n{ran.stderr}"
        return ran

    def playbook(
        self, name: str, *words: str, code: int = 0, approve: bool = True, nodes: tuple[str, ...] = (NODE,)
    ) -> tuple[str, dict[str, Any]]:
        """Plan, approve and run; the run and how it stands then."""
        plan = json_lines(self.do("playbook", "plan", name, *nodes, *words))[0]
        if approve:
            self.do("playbook", "approve", plan["run_id"], "--key", str(self.home / "key"))
        ran = self.do("playbook", "run", plan["run_id"], code=code)
        return plan["run_id"], json_lines(ran)[-1]

    def states(self) -> tuple[str, str]:
        """Where the two machines are in their lives."""
        found = {one["node_id"]: str(one["state"]) for one in json_lines(self.do("node", "list"))}
        return found[NODE], found[BROKEN]

    def answer(self, run_id: str, words: str) -> None:
        self.do("playbook", "answer", run_id, NODE, "done", "--why", words)


@pytest.fixture
def bastion(tmp_path: Path) -> Iterator[Bastion]:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    public = " ".join((tmp_path / "key.pub").read_text().split()[:2])
    (tmp_path / "signers").write_text(f"alice {public}\n")
    (tmp_path / "playbooks.yaml").write_text("version: 1\nallowed_signers: signers\n")
    for name, text in (("po.csv", ORDER), ("asn.csv", NOTICE), ("scans.csv", SCANS)):
        (tmp_path / name).write_text(text)
    with running_lab(tmp_path / "lab", 2, ["founders"]) as lab:
        # Not in service yet, and not cabled together: one of them goes on without the other.
        text = lab.fleet_file.read_text().replace("  state: in_service\n", "").partition("units:\n")[0]
        lab.fleet_file.write_text(text)
        yield Bastion(lab, tmp_path)


def test_from_the_order_into_service_and_through_an_incident(bastion: Bastion) -> None:
    _procurement(bastion)
    _provisioning(bastion)
    _monitoring(bastion)
    _maintenance(bastion)
    _incident(bastion)
    kinds = [entry["kind"] for entry in json_lines(bastion.do("ledger", "show"))]
    assert kinds.count("lifecycle.moved") == 9 + 2
    bastion.do("ledger", "verify")


def _procurement(bastion: Bastion) -> None:
    papers = [str(bastion.home / name) for name in ("po.csv", "asn.csv", "scans.csv")]
    delivery = ["--order", papers[0], "--notice", papers[1], "--scans", papers[2]]
    bastion.do("collect")
    bastion.do("receive", "record", *delivery, "--observed", "all")
    assert bastion.states() == ("received", "received")
    bastion.do("receive", "pins", *BOTH)
    control.break_node(bastion.lab.directory, BROKEN, "full-disk")
    _, status = bastion.playbook("procurement/receive", approve=False, code=4, nodes=BOTH)
    left = {node["node_id"]: (node["status"], node["summary"]) for node in status["nodes"]}
    assert left[NODE][0] == "done"
    assert left[BROKEN][0] == "refused"
    assert "disk.space" in left[BROKEN][1]
    assert bastion.states() == ("accepted", "received")
    control.mend(bastion.lab.directory, BROKEN)


def _provisioning(bastion: Bastion) -> None:
    run_id, status = bastion.playbook("provisioning/enrol", approve=False, code=5)
    assert status["standing"] == "asking"
    bastion.answer(run_id, "rack a1 unit 12, pdu-1, tag 4711")
    status = json_lines(bastion.do("playbook", "resume", run_id))[-1]
    assert status["counts"] == {"done": 1}
    assert bastion.states()[0] == "in_service"
    folder = bastion.home / "state" / "playbooks" / run_id / NODE
    record = json.loads((folder / "record.json").read_text())
    assert record["serial"] == "SIM0000000001"
    answers = [entry["event"]["why"] for entry in record["entries"] if entry["event"]["what"] == "answered"]
    assert answers == ["rack a1 unit 12, pdu-1, tag 4711"]
    assert "6.17.0-1014-nvidia" in (folder / "baseline.yaml").read_text()


def _monitoring(bastion: Bastion) -> None:
    bastion.do("baseline", "set", "--majority", "all")
    _, status = bastion.playbook("monitoring/round", approve=False)
    assert status["counts"] == {"done": 1}
    control.break_node(bastion.lab.directory, NODE, "hot")
    _, status = bastion.playbook("monitoring/round", approve=False, code=1)
    assert status["counts"] == {"failed": 1}
    control.mend(bastion.lab.directory, NODE)


def _maintenance(bastion: Bastion) -> None:
    packages = "packages=linux-image-6.17.0-1018-nvidia=6.17.0-1018.18"
    _, status = bastion.playbook("maintenance/ota-update", "--set", packages, "--set", "kernel=6.17.0-1018-nvidia")
    assert status["counts"] == {"done": 1}
    assert bastion.states()[0] == "in_service"
    kernels = json_lines(bastion.do("show", "--field", "os.kernel.running"))
    assert "6.17.0-1018-nvidia" in json.dumps(kernels)


def _incident(bastion: Bastion) -> None:
    control.break_node(bastion.lab.directory, NODE, "hot")
    run_id, status = bastion.playbook("incident/triage")
    assert status["counts"] == {"done": 1}
    assert bastion.states()[0] == "incident"
    folder = bastion.home / "state" / "playbooks" / run_id / NODE
    (bundle,) = (path for path in folder.iterdir() if path.suffix != ".json")
    assert sparkctl("bundle", "verify", bundle, home=bastion.home).returncode == 0
    run_id, status = bastion.playbook("incident/return", code=5)
    assert status["standing"] == "asking"
    control.mend(bastion.lab.directory, NODE)
    bastion.answer(run_id, "a fan was blocked, and is free")
    status = json_lines(bastion.do("playbook", "resume", run_id))[-1]
    assert status["counts"] == {"done": 1}
    assert bastion.states()[0] == "in_service"
