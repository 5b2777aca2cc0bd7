"""A real nginx that serves a folder on loopback."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.sshd import free_port

CONFIGURATION = """
daemon off; master_process off; pid {home}/nginx.pid; error_log stderr;
events {{}}
http {{
  access_log {home}/access.log; client_body_temp_path {home}; proxy_temp_path {home}; fastcgi_temp_path {home};
  uwsgi_temp_path {home}; scgi_temp_path {home};
  {server}
}}
"""


def nginx() -> str | None:
    """The program, None where it is not installed."""
    return shutil.which("nginx", path="/usr/sbin:/usr/bin")


def configuration(home: Path, server: str) -> Path:
    """A whole configuration around a server block, which keeps everything in `home`."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / "nginx.conf"
    path.write_text(CONFIGURATION.format(home=home, server=server))
    return path


@contextlib.contextmanager
def served(folder: Path, home: Path, more: str = "") -> Iterator[str]:
    """The address of a web server that gives what is in a folder; it ends with the block. `more` is for its server."""
    port = free_port()
    path = configuration(home, f"server {{ listen 127.0.0.1:{port}; root {folder}; {more} }}")
    program = nginx()
    assert program is not None
    with (home / "error.log").open("wb") as errors:
        process = subprocess.Popen([program, "-e", "stderr", "-c", str(path)], stderr=errors)
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a server that was started listens."""
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None, "nginx ended at once"
        time.sleep(0.05)
    raise AssertionError("nginx did not begin to listen")
