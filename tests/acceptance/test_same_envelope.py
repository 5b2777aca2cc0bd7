"""The same probe through asyncssh, paramiko and local gives the same envelope, after times and moving figures."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sparkctl.contract.outside import complaints
from tests.support.command import json_lines, sparkctl
from tests.support.sshd import Sshd

NUMBERS = re.compile(r"[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")


def still(part: Any) -> Any:
    """A document with every figure that moves between two looks at one machine taken out."""
    if isinstance(part, dict):
        return {key: still(value) for key, value in part.items() if key not in ("collected_at_utc", "cost")}
    if isinstance(part, list):
        return [still(value) for value in part]
    if isinstance(part, str):
        return NUMBERS.sub("#", part)
    if isinstance(part, (int, float)) and not isinstance(part, bool):
        return "#"
    return part


@pytest.mark.slow
def test_three_ways_to_one_machine(tmp_path: Path) -> None:
    path = f"SetEnv PATH={tmp_path}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    with Sshd(tmp_path, addresses=["127.0.0.1", "127.0.0.2"], extra=[path]) as server:
        (tmp_path / "pins").write_text("".join(server.known_hosts_line(host) for host in server.addresses))
        ssh = {
            "port": server.port,
            "user": server.user,
            "identity_files": [str(server.user_key)],
            "known_hosts_files": [str(tmp_path / "pins")],
            "agent": False,
        }
        fleet = {
            "nodes": {
                "by-asyncssh": {"ssh": {**ssh, "host": "127.0.0.1"}, "transport": "asyncssh"},
                "by-paramiko": {"ssh": {**ssh, "host": "127.0.0.2"}, "transport": "paramiko"},
                "by-local": {"transport": "local"},
            }
        }
        (tmp_path / "fleet.yaml").write_text(json.dumps(fleet))
        ran = sparkctl("health", "--state", tmp_path / "state", "--concurrency", "1", home=tmp_path)
    assert list(complaints(ran.stdout.encode())) == []
    assert ran.stdout, ran.stderr
    *records, report = json_lines(ran)
    assert (report["selected"], report["reported"]) == (3, 3), ran.stdout + ran.stderr
    seen = {record["node_id"]: still(record["envelope"]) for record in records}
    assert seen["by-asyncssh"] == seen["by-paramiko"] == seen["by-local"]
    assert len(seen["by-local"]["data"]["findings"]) >= 30
    keys = {record["node_id"]: record["visit"]["host_key"] for record in records}
    assert keys["by-asyncssh"] == keys["by-paramiko"]
    assert keys["by-local"] is None
