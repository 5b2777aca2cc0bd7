"""The commands as an operator meets them: help, mistakes, and what they say about them."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sparkctl.contract.generated import DOCUMENTS
from sparkctl.probes.program import bundle
from sparkctl.resources import shipped
from tests.support.command import environment, json_lines, sparkctl
from tests.support.envelopes import reported, unreported

COMMANDS = [
    "health", "history", "demo", "sudoers", "inventory list", "inventory show", "inventory check", "inventory pin",
    "lab up", "lab down", "lab list", "lab break", "lab mend", "schema list", "schema show", "schema export",
    "schema check", "program", "collect", "show", "ota", "baseline set", "baseline show", "drift", "store prune",
    "ingest", "report", "reset-reason", "reset-reason score", "bundle collect", "bundle verify", "bundle show",
    "bundle diff", "bundle disclose", "schedule run", "schedule install", "schedule remove", "schedule show",
    "schedule check", "schedule lint", "help", "completion", "export", "alerts list", "alerts show", "alerts ack",
    "alerts mute", "alerts unmute", "alerts digest", "alerts check", "sinks list", "sinks check", "sinks test",
    "sinks send", "node list", "node show", "node move", "node evidence", "receive match", "receive record",
    "receive pins", "receive accept", "sinks dead", "sinks replay", "sinks forget", "sinks show", "ledger show",
    "ledger add", "ledger sign", "ledger checkpoint", "ledger cosign", "ledger import-cosignature", "ledger prove",
    "ledger verify-proof", "ledger verify", "retire judge", "retire certificate", "retire record", "playbook list",
    "playbook show", "playbook check", "playbook plan", "playbook approve", "playbook run", "playbook resume",
    "playbook status", "playbook answer", "playbook stop", "playbook journal", "ledger timestamp-request",
    "ledger timestamp-verify", "airgap seed", "receive beacon", "airgap pack", "airgap sign", "airgap verify",
    "airgap scan", "airgap apply", "airgap have", "airgap receipt", "airgap check", "airgap iso",
    "airgap mirror check", "airgap mirror plan", "airgap mirror sync", "airgap mirror list", "airgap mirror verify",
    "airgap mirror take", "airgap mirror promote", "airgap mirror client", "airgap mirror nginx", "airgap mirror prune",
    "airgap mirror push", "airgap mirror ca firmware", "airgap mirror derive",
]  # fmt: skip


@pytest.fixture
def local_fleet(tmp_path: Path) -> Path:
    """A fleet of this machine alone."""
    path = tmp_path / "fleet.yaml"
    path.write_text("nodes:\n  here: {transport: local}\n")
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str, tmp_path: Path) -> None:
    ran = sparkctl(*command.split(), "--help", home=tmp_path)
    assert ran.returncode == 0
    assert f"sparkctl {command}" in ran.stdout
    if command != "schema list":
        assert "Example:" in ran.stdout
    assert max(len(line) for line in ran.stdout.splitlines()) <= 100
    assert "--format" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["health"], "there is no fleet.yaml"),
        (["health", "--fleet", "/nowhere.yaml"], "/nowhere.yaml"),
        (["health", "--concurrency", "0"], "--concurrency"),
        (["health", "--workers", "0"], "--workers"),
        (["health", "--timeout", "NaN"], "--timeout"),
        (["helth"], "helth"),
        (["history"], "NODE"),
        (["history", "spark01"], "there is no store"),
        (["schema", "show", "nothing"], "run-record"),
        (["schema", "check", "/nowhere.json"], "/nowhere.json"),
        (["sudoers", "--user", "root; rm -rf /"], "is not a user name"),
        (["lab", "break", "sim-01", "hot"], "no lab runs"),
        (["inventory", "pin", "all", "--fleet", "{fleet}"], "nobody is there to confirm"),
        (["health", "nobody", "--fleet", "{fleet}"], "nobody"),
        (["health", "rack=a1 &", "--fleet", "{fleet}"], "rack=a1 &"),
        (["health", "--fleet", "{fleet}", "--state", "/dev/null/state"], "/dev/null/state"),
        (["report"], "there is no fleet.yaml"),
        (["report", "--watch", "rack=a1", "--fleet", "{fleet}"], "--watch"),
        (["report", "--html", "x.html", "--watch", "3", "--fleet", "{fleet}"], "leave --watch out"),
        (["report", "--html", "/nowhere/x.html", "--fleet", "{fleet}"], "there is no folder /nowhere"),
        (["report", "nobody", "--fleet", "{fleet}"], "nobody"),
        (["report", "--max-age", "soon", "--fleet", "{fleet}"], "90m"),
        (["reset-reason"], "there is no fleet.yaml"),
        (["reset-reason", "--resume", "last", "--fleet", "{fleet}", "--state", "{fleet}.state"], "there is no store"),
        (["reset-reason", "score", "/nowhere"], "/nowhere"),
    ],
)
def test_mistakes_are_usage_errors_in_one_message(
    arguments: list[str], words: str, tmp_path: Path, local_fleet: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ran = sparkctl(*(part.format(fleet=local_fleet) for part in arguments), home=tmp_path, cwd=elsewhere)
    assert ran.returncode == 2, ran.stderr
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""


def test_help_is_cheap(tmp_path: Path) -> None:
    """Neither SSH nor SQL nor pydantic is imported for a question about the command line."""
    heavy = {"asyncssh", "paramiko", "sqlalchemy", "pydantic", "rich", "yaml", "jsonschema"}
    probe = f"import sys; import sparkctl.cli.main; print(sorted({heavy} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_the_state_folder_and_fleet_come_from_the_environment(tmp_path: Path, local_fleet: Path) -> None:
    ran = sparkctl("health", home=tmp_path, SPARKCTL_FLEET=str(local_fleet), SPARKCTL_STATE=str(tmp_path / "s"))
    assert ran.returncode in (0, 1, 3)
    assert sparkctl("history", "here", "--state", tmp_path / "s", home=tmp_path).returncode == 0


def test_a_sweep_in_every_format(tmp_path: Path, local_fleet: Path) -> None:
    common: list[str | Path] = ["--fleet", local_fleet, "--state", tmp_path / "state"]
    lines = sparkctl("health", *common, home=tmp_path)
    whole = sparkctl("health", *common, "--format", "json", home=tmp_path)
    human = sparkctl("health", *common, "--format", "human", home=tmp_path)
    assert {ran.returncode for ran in (lines, whole, human)} <= {0, 1, 3}
    record, report = json_lines(lines)
    assert record["schema"] == "sparkctl.run-record/1"
    assert report["schema"] == "sparkctl.sweep-report/1"
    assert report["exit_code"] == lines.returncode
    assert set(json.loads(whole.stdout)) == {"records", "report"}
    assert "1 node" in human.stdout
    assert "\x1b" not in human.stdout
    history = sparkctl("history", "here", "--state", tmp_path / "state", home=tmp_path)
    assert [set(line) for line in json_lines(history)][:3] == [{"visit"}] * 3
    shown = sparkctl("history", "here", "--state", tmp_path / "state", "--format", "human", home=tmp_path)
    assert "3 visits" in shown.stdout


def test_a_report_in_every_format(tmp_path: Path, local_fleet: Path) -> None:
    common: list[str | Path] = ["report", "--fleet", local_fleet, "--state", tmp_path / "state"]
    lines = sparkctl(*common, home=tmp_path)
    assert lines.returncode == 3  # nobody was ever judged
    node, fleet = json_lines(lines)
    assert (node["schema"], node["status"]) == ("sparkctl.node-page/1", "never")
    assert (fleet["schema"], fleet["exit_code"]) == ("sparkctl.fleet-page/1", 3)
    whole = json.loads(sparkctl(*common, "--format", "json", home=tmp_path).stdout)
    assert [whole["nodes"][0]["node_id"], whole["fleet"]["statuses"]] == ["here", {"never": 1}]
    (tmp_path / "lines.jsonl").write_text(lines.stdout)
    assert sparkctl("schema", "check", tmp_path / "lines.jsonl", home=tmp_path).returncode == 0
    out = tmp_path / "fleet.html"
    (said,) = json_lines(sparkctl(*common, "--html", out, home=tmp_path))
    assert (said["file"], said["bytes"], said["exit_name"]) == (str(out), out.stat().st_size, "unjudged")
    once = sparkctl(*common, "--watch", "--format", "human", home=tmp_path)  # no terminal to stay on
    assert (once.returncode, "1 node: 1 never judged" in once.stdout) == (3, True)
    assert not (tmp_path / "state").exists()


def test_schemas(tmp_path: Path) -> None:
    assert sparkctl("schema", "list", home=tmp_path).stdout.split() == sorted(DOCUMENTS)
    shown = sparkctl("schema", "show", "run-record", home=tmp_path)
    assert json.loads(shown.stdout)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    sparkctl("schema", "export", tmp_path / "out", home=tmp_path)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{name}.schema.json" for name in DOCUMENTS}
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text(reported("spark01").model_dump_json() + "\n" + unreported("spark02").model_dump_json() + "\n")
    bad.write_text(good.read_text() + '{"schema":"sparkctl.run-record/1"}\n')
    assert sparkctl("schema", "check", good, home=tmp_path).returncode == 0
    ran = sparkctl("schema", "check", good, bad, home=tmp_path)
    assert ran.returncode == 1
    assert {"file": str(bad), "line": 3} in [
        {key: line.get(key) for key in ("file", "line")} for line in json_lines(ran)
    ]
    human = sparkctl("schema", "check", bad, "--format", "human", home=tmp_path)
    assert f"{bad}:3:" in human.stdout


def test_sudoers_are_exact_and_accepted_by_visudo(tmp_path: Path) -> None:
    ran = sparkctl("sudoers", "--user", "ops", home=tmp_path)
    rules = [line for line in ran.stdout.splitlines() if line.startswith("ops ")]
    assert rules
    for rule in rules:
        assert rule.startswith("ops ALL=(root) NOPASSWD: /")
        assert "*" not in rule
    before, heading, after = ran.stdout.partition("# For `sparkctl bundle collect` besides")
    assert heading
    assert "NOPASSWD: /usr/sbin/nvme smart-log" in before
    assert "NOPASSWD: /usr/bin/lspci -D -nn -vvv" in after
    assert 'NOPASSWD: /usr/sbin/dmidecode ""\n' in after  # else any argument would do, also one that writes
    assert len(set(rules)) == len(rules)
    visudo = shutil.which("visudo", path=os.environ["PATH"] + ":/usr/sbin")
    if visudo is None:
        pytest.skip("no visudo here: install the package sudo to check the drop-in")
    (tmp_path / "drop-in").write_text(ran.stdout)
    checked = subprocess.run([visudo, "-cf", str(tmp_path / "drop-in")], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def in_a_shell(command: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which `$SPARKCTL` is the command."""
    line = command.replace("$SPARKCTL", f"{sys.executable} -m sparkctl")
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"], capture_output=True, text=True, check=False, cwd=home,
        env={**environment(home), "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip


def test_a_reader_that_leaves_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text("nodes:\n  node[0001-3000]: {transport: local}\n")
    ran = in_a_shell("$SPARKCTL inventory list | head -1", tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "node0001" in ran.stdout


def test_a_sweep_goes_on_when_its_reader_leaves(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text("nodes:\n  here[1-4]: {transport: local}\n")
    ran = in_a_shell("$SPARKCTL health --concurrency 1 --state state | head -1", tmp_path)
    assert ran.returncode in (0, 3)
    assert ran.stderr == ""
    for number in range(1, 5):
        assert sparkctl("history", f"here{number}", "--state", tmp_path / "state", home=tmp_path).returncode == 0


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", ">&- 2>&-"])
def test_closed_streams_are_no_fault(redirection: str, tmp_path: Path) -> None:
    ran = in_a_shell(f"$SPARKCTL schema list {redirection}", tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_output_that_cannot_be_written_is_said_to_be(tmp_path: Path) -> None:
    ran = in_a_shell("$SPARKCTL schema list > /dev/full", tmp_path)
    assert ran.returncode == 2
    assert "cannot be written" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_output_is_utf_8_whatever_the_locale(tmp_path: Path, local_fleet: Path) -> None:
    ran = in_a_shell("LC_ALL=C PYTHONIOENCODING=ascii $SPARKCTL lab list --kinds --format human", tmp_path)
    assert ran.returncode == 0, ran.stderr


def test_the_reporter_is_printed_as_it_is_sent(tmp_path: Path) -> None:
    printed = sparkctl("program", "reset-reason", home=tmp_path).stdout.encode()
    assert hashlib.sha256(printed).hexdigest() == bundle(shipped("diag"), "reset-reason").sha256
    (tmp_path / "by_hand.py").write_bytes(printed)
    ran = subprocess.run([sys.executable, "-I", "-S", str(tmp_path / "by_hand.py")], capture_output=True, check=True)
    assert json.loads(ran.stdout)["meta"]["schema"] == "sparkctl.reset/1"


def test_the_program_is_printed_as_it_is_sent(tmp_path: Path) -> None:
    printed = sparkctl("program", home=tmp_path).stdout.encode()
    assert hashlib.sha256(printed).hexdigest() == bundle(shipped("diag")).sha256
    (tmp_path / "by_hand.py").write_bytes(printed)
    ran = subprocess.run(
        [sys.executable, "-I", "-S", str(tmp_path / "by_hand.py"), "health"], capture_output=True, check=True
    )
    assert json.loads(ran.stdout)["ok"] is True
