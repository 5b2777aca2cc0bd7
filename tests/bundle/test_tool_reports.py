"""Reports of tools of other makers, from asking for them to what is sealed."""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from sparkctl.app.named_collectors import reports_among
from sparkctl.app.sealing import seal_spool
from sparkctl.app.sudo_rules import sudoers_text
from sparkctl.errors import UsageError
from sparkctl.evidence.reading import opened
from sparkctl.model.evidence import EntryStatus, PathSource
from tests.bundle.made import entry_of
from tests.bundle.test_unpacking import packed
from tests.support.command import sparkctl
from tests.support.spools import spooled

pytestmark = pytest.mark.slow

REPORT, OTHER = "report/sosreport", "report/nvidia-bug-report"
TOP = "sosreport-spark07-2026-03-02-abcdefg"
BOTH = ("nvidia-bug-report", "sosreport=600")
FLEET = "nodes:\n  spark[01-03]: {elevation: commands}\n  spark04: {}\n"


def test_reports_are_sealed_file_by_file_and_redacted_and_one_with_nothing_to_keep_is_missing(tmp_path: Path) -> None:
    parts = {
        f"{TOP}/etc/hosts": b"10.20.30.40 vault-99.corp.example.com vault-99\n",
        f"{TOP}/etc/systemd/system/vault-99-agent.service": b"[Service]\nUser=mkoenig77\n",
        f"{TOP}/sos_commands/process/ps_auxwww": b"root 1 agent --token=ghp_" + b"a1B2" * 9 + b" vault-99\n",
        f"{TOP}/sys/table": b"\0\1\2",
    }
    archives = {REPORT: packed(parts), OTHER: b"no tar at all"}
    order = spooled(tmp_path, [], archives, archives=archives)
    made = seal_spool(order)
    with opened(made.path) as bundle:
        entries = {entry.path: entry for entry in bundle.entries() if entry.path.startswith("artefacts/")}
        lacks = bundle.missing
    missing = {one.name: one for one in lacks}
    hosts = f"artefacts/{REPORT}/etc/hosts"
    assert isinstance(entries[hosts].source, PathSource)
    assert entries[hosts].status is EntryStatus.COMPLETE
    assert len(entries) == 3
    everything = b"".join(path.encode() + entry_of(made.path, path) for path in entries)
    assert not [secret for secret in (b"vault-99", b"10.20.30.40", b"a1B2a1B2", b"spark07") if secret in everything]
    assert b"--token=secret-x" in entry_of(made.path, f"artefacts/{REPORT}/sos_commands/process/ps_auxwww")
    assert "nobody could look for secrets in it" in missing[f"{REPORT}/sys/table"].words
    nothing = [one.words for one in lacks if one.name == OTHER]
    assert nothing == ["nothing in it can be kept", "the archive ends early or is damaged: what came before is kept"]


def test_seconds_and_bytes_of_reports_are_added_up() -> None:
    reports = reports_among([*BOTH, "pci.registers"])
    assert reports.names == list(BOTH)
    assert reports.seconds == 645.0
    assert reports.bytes == 40 * 2**20
    assert any("RuntimeMaxSec=600" in word for word in reports.commands["sosreport=600"])
    assert reports_among([]).seconds == 0.0


@pytest.mark.parametrize(
    ("named", "words"),
    [
        (["gremlins"], "there is no collector gremlins"),
        (["Sos report"], "is no name"),
        (["sosreport=3"], "a limit is from 10 to 1800 seconds"),
        (["pci.registers=30"], "only a report has a limit"),
        (["sosreport", "sosreport=60"], "twice"),
    ],
)
def test_a_name_or_limit_that_no_node_would_take_is_refused(named: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        reports_among(named)


@pytest.mark.parametrize("command", [("bundle", "collect"), ("health", "--level", "L2")])
def test_nodes_that_do_not_allow_it_are_named_before_any_is_asked(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    ran = sparkctl(*command, "--with", "sosreport=600", home=tmp_path)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "sosreport=600 runs as root, which spark04 does not allow (elevation: none)" in ran.stderr
    assert "sparkctl sudoers --with sosreport=600" in ran.stderr
    assert "Traceback" not in ran.stderr


@cache  # each of our programs is asked for its commands
def rules_for(named: tuple[str, ...]) -> str:
    return sudoers_text("nobody", named)


def test_rules_for_reports_are_printed_only_when_asked() -> None:
    usual, asked = rules_for(()), rules_for(BOTH)
    assert "systemd-run" not in usual
    assert asked.count("/usr/bin/systemd-run") == len(BOTH)
    assert asked.startswith(usual)


ASK_SUDO = """
import json, subprocess, sys
for argv in json.load(open(sys.argv[1])):
    ran = subprocess.run(["sudo", "-l", "-U", "nobody", *argv], capture_output=True)
    print(ran.returncode)
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("sudo", "visudo", "unshare"))),
    reason="needs root, sudo and unshare",
)
def test_sudo_allows_these_very_words_and_no_others(tmp_path: Path) -> None:
    rules = tmp_path / "sudoers"
    rules.write_text(rules_for(BOTH))
    rules.chmod(0o440)
    subprocess.run(["visudo", "-cf", rules], check=True, capture_output=True)
    allowed = list(reports_among(BOTH).commands.values())
    others = list(reports_among(["sosreport=601"]).commands.values())
    for argv in allowed:
        others += [(*argv, "/etc/shadow"), argv[:-1], tuple(word.replace("strict", "no") for word in argv)]
    asked = tmp_path / "asked.json"
    asked.write_text(json.dumps([*allowed, *others]))
    script = f'mount --make-rprivate / && mount --bind {rules} /etc/sudoers && {sys.executable} -c "$1" {asked}'
    ran = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", ASK_SUDO], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["0"] * len(allowed) + ["1"] * len(others)
