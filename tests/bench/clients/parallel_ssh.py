"""parallel-ssh with its native client, libssh2 under gevent. It compares no host keys with known_hosts."""

import sys
from importlib import import_module
from pathlib import Path

from tests.bench.clients.job import Job

ParallelSSHClient = import_module("pssh.clients").ParallelSSHClient


def main() -> None:
    """Start the probe everywhere, then gather what was printed; a node that failed is missing from the answers."""
    job = Job.given()
    client = ParallelSSHClient(
        job.hosts, user=job.user, port=job.port, pkey=job.key, pool_size=job.concurrency, num_retries=1,
        timeout=job.seconds, allow_agent=False,
    )  # fmt: skip
    outputs = client.run_command("sh -s", stop_on_errors=False, read_timeout=int(job.seconds))
    reached = [output for output in outputs if output.exception is None]
    for output in reached:
        output.stdin.write(job.probe_text.decode("ascii"))
        output.stdin.flush()
    with Path(job.answers).open("w", encoding="utf-8") as answers:
        for output in reached:
            answers.writelines(f"{line}\n" for line in output.stdout)
    for output in outputs:
        if output.exception is not None:
            print(f"{output.host}: {output.exception}", file=sys.stderr)


if __name__ == "__main__":
    main()
