"""A name server that is silent: the names it knows are named as such, and nobody else notices."""

from pathlib import Path

import pytest

from tests.chaos.names import silent_name_server
from tests.chaos.site import Site, Sweep
from tests.support.sshd import Sshd

pytestmark = pytest.mark.slow
NEAR = ("near-1", "near-2")
# Many more than the event loop's own threads for look-ups, and as many as are visited at once with the others.
LOST = tuple(f"lost-{number:02}" for number in range(45))


@pytest.mark.parametrize("transport", ["asyncssh", pytest.param("paramiko", marks=pytest.mark.thorough)])
def test_a_silent_name_server_costs_the_nodes_it_knows_their_connect_deadline(tmp_path: Path, transport: str) -> None:
    site = Site(tmp_path, transport=transport)
    site.nodes = {name: {"ssh": {"host": f"{name}.fleet.test"}} for name in LOST}
    with (
        silent_name_server(tmp_path, hosts={"well-known.fleet.test": "127.0.0.1"}) as names,
        Sshd(tmp_path, addresses=("127.0.0.1", "127.0.0.2"), extra=[site.path]) as server,
    ):
        # The last in line, behind all that hang; its name is in the hosts file.
        known = {"host": "well-known.fleet.test", "port": server.port, "identity_files": [str(server.user_key)]}
        site.nodes["well-known"] = {"ssh": known}
        (tmp_path / "pins").write_text(server.known_hosts_line("well-known.fleet.test"))
        site.add(server, NEAR)
        with Sweep(tmp_path, "--timeout", "15", "--concurrency", "60", through=names.through) as sweep:
            # A process that waited for its look-ups would still be there after two minutes.
            result = sweep.end()
        assert names.was_asked()
    result.assert_all_accounted_for([*LOST, *NEAR, "well-known"])
    result.assert_exit()
    result.assert_complete(*NEAR, "well-known")
    assert {result.status(name) for name in LOST} == {"connect.name_not_resolved"}
    assert {result.records[name]["failure"]["attempts"] for name in LOST} == {3}
    assert max(result.records[name]["duration_ms"] for name in LOST) < 15_000
