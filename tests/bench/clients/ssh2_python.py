"""The yardstick: libssh2 through ssh2-python, blocking sockets in a pool of threads, host keys compared with pins."""

import base64
import socket
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

from tests.bench.clients.job import Job

Session = import_module("ssh2.session").Session


def pinned(job: Job) -> dict[str, bytes]:
    """Host keys by name; the file is read once."""
    lines = (line.split() for line in Path(job.known_hosts).read_text("ascii").splitlines())
    return {name: base64.b64decode(key) for name, _, key in lines}


def ask(job: Job, pins: dict[str, bytes], probe: bytes, host: str) -> bytes:
    """What one node prints."""
    with socket.create_connection((host, job.port), job.seconds) as connection:
        session = Session()
        session.set_timeout(int(job.seconds * 1000))
        session.handshake(connection)
        if session.hostkey()[0] != pins[f"[{host}]:{job.port}"]:
            raise ConnectionError(f"{host}: not the pinned host key")
        session.userauth_publickey_fromfile(job.user, job.key)
        channel = session.open_session()
        channel.execute("sh -s")
        channel.write(probe)
        channel.send_eof()
        said = bytearray()
        size, data = channel.read(65536)
        while size > 0:
            said += data
            size, data = channel.read(65536)
        channel.wait_eof()
        channel.close()
        channel.wait_closed()
        if channel.get_exit_status() != 0:
            raise ConnectionError(f"{host}: exit status {channel.get_exit_status()}")
        session.disconnect()
        return bytes(said)


def main() -> None:
    """Ask every node; a node that failed is missing from the answers."""
    job = Job.given()
    pins, probe = pinned(job), job.probe_text
    with ThreadPoolExecutor(job.concurrency) as pool, Path(job.answers).open("wb") as answers:
        asked = [pool.submit(ask, job, pins, probe, host) for host in job.hosts]
        for future in asked:
            if future.exception() is None:
                answers.write(future.result())


if __name__ == "__main__":
    main()
