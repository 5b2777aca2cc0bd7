"""pyinfra's API: connect to all nodes, run one shell command on each, disconnect; greenlets, paramiko underneath."""

from importlib import import_module
from pathlib import Path
from typing import Any

from tests.bench.clients.job import Job

import_module("gevent.monkey").patch_all()  # as pyinfra's own command does, before anything else is imported
api = import_module("pyinfra.api")
connecting = import_module("pyinfra.api.connect")
ctx_state = import_module("pyinfra.context").ctx_state


def inventory(job: Job) -> Any:
    """The nodes, host keys verified."""
    settings = {
        "ssh_user": job.user,
        "ssh_port": job.port,
        "ssh_key": job.key,
        "ssh_look_for_keys": False,
        "ssh_allow_agent": False,
        "ssh_known_hosts_file": job.known_hosts,
        "ssh_strict_host_key_checking": "yes",
        "ssh_config_file": "/dev/null",
    }
    return api.Inventory((job.hosts, settings))


def main() -> None:
    """Ask every node; a node that failed is missing from the answers."""
    job = Job.given()
    probe = job.probe_text.decode("ascii")
    state = api.State(inventory(job), api.Config(PARALLEL=job.concurrency, CONNECT_TIMEOUT=int(job.seconds)))

    def ask(host: Any) -> str:
        _, output = host.run_shell_command(api.StringCommand("sh -s"), _stdin=probe, _timeout=int(job.seconds))
        return str(output.stdout)

    with ctx_state.use(state), Path(job.answers).open("w", encoding="utf-8") as answers:
        connecting.connect_all(state)
        asked = [state.pool.spawn(ask, host) for host in state.active_hosts]
        for greenlet in asked:
            greenlet.join()
            answers.write(f"{greenlet.value}\n")
        connecting.disconnect_all(state)


if __name__ == "__main__":
    main()
