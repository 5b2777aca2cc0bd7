"""Nodes whose address, key or sshd changes under a visit."""

import itertools
import socket
import threading
import time
from pathlib import Path

import pytest

from tests.hostile.farm import Farm, farm_in
from tests.support.sshd import Sshd, public_key
from tests.transport.wire import carry, tcp_server

pytestmark = pytest.mark.slow


def of_sshd(farm: Farm, name: str, server: Sshd, port: int = 0) -> None:
    """Name a real sshd for a node."""
    farm.point(name, port or server.port, public_key(server.host_key), server.host)
    farm.nodes[name]["ssh"] |= {"user": server.user, "identity_files": [str(server.user_key)]}


def test_another_host_key_at_the_second_attempt_is_refused(tmp_path: Path, stack: str) -> None:
    attempts = itertools.count(1)
    with farm_in(tmp_path, stack) as farm, Sshd(tmp_path) as known, Sshd(tmp_path) as other:

        def handle(client: socket.socket) -> None:
            if next(attempts) == 1:
                client.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
                client.close()
                return
            with socket.create_connection((other.host, other.port)) as upstream:
                threading.Thread(target=carry, args=(upstream, client), daemon=True).start()
                carry(client, upstream)

        with tcp_server(handle) as port:
            of_sshd(farm, "changing", known, port)
            found, report = farm.judge(timeout=15)
        record = found["changing"]
        assert (record["status"], record["failure"]["attempts"]) == ("host_key.host_key_changed", 2)
        assert report["exit_name"] == "refused"
        assert "Accepted publickey" not in other.log


def test_a_node_with_ipv6_only_and_a_jump_host_with_ipv6_only(tmp_path: Path, stack: str) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 on loopback here: {error}")
    path = f"SetEnv PATH={tmp_path}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    with farm_in(tmp_path, stack) as farm, six_only(tmp_path, path) as server:
        of_sshd(farm, "six", server)
        of_sshd(farm, "behind", server)
        farm.nodes["behind"]["ssh"]["jump"] = [f"{server.user}@[::1]:{server.port}"]
        found, _ = farm.judge(timeout=20)
    assert (found["six"]["status"], found["six"]["host"]) == ("ok", "::1"), found["six"]["failure"]
    assert found["behind"]["status"] == "ok", found["behind"]["failure"]


class SixOnly(Sshd):
    """An sshd on ::1 alone."""

    def start(self) -> "SixOnly":
        self.host = "127.0.0.1"  # where a free port is looked for
        super().start()
        self.host = "::1"
        return self


def six_only(folder: Path, *extra: str) -> SixOnly:
    return SixOnly(folder, addresses=["::1"], extra=extra)


def test_a_node_that_goes_down_in_mid_probe(tmp_path: Path, stack: str) -> None:
    begun = tmp_path / "begun"
    with farm_in(tmp_path, stack) as farm, Sshd(tmp_path, force_command=f"touch {begun}; exec sleep 60") as server:
        of_sshd(farm, "rebooting", server)

        def kill() -> None:
            deadline = time.monotonic() + 15
            while not begun.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            server.stop()

        killer = threading.Thread(target=kill)
        killer.start()
        found, _ = farm.judge(timeout=30)
        killer.join()
    assert begun.exists()
    record = found["rebooting"]
    assert (record["status"], record["failure"]["attempts"]) == ("run.connection_lost", 1)
    assert record["duration_ms"] < 20_000
