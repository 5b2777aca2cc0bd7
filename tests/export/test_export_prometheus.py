"""A real Prometheus scrapes what is exported from a real nginx, and answers questions about the fleet."""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from sparkctl.model.standing import NodeStanding
from tests.support.sshd import free_port
from tests.support.standings import exported

pytestmark = pytest.mark.slow

NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;
events {{}}
http {{
  access_log off; default_type "text/plain; version=0.0.4";
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; root {folder}/www; }}
}}
"""
PROMETHEUS = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: fleet
    metrics_path: /sparkctl.prom
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def installed(name: str) -> str:
    program = which(name, path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip(f"no {name} here: install its package to try exports with it")
    return program


@contextmanager
def running(*command: str | Path) -> Iterator[None]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def scraped(folder: Path, metrics: str) -> Iterator[int]:
    """A Prometheus on loopback that scrapes these metrics; its port."""
    web, port = free_port(), free_port()
    (folder / "www").mkdir()
    (folder / "www/sparkctl.prom").write_text(metrics)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=web))
    (folder / "prometheus.yml").write_text(PROMETHEUS.format(port=web))
    with ExitStack() as servers:
        servers.enter_context(running(installed("nginx"), "-e", "stderr", "-c", folder / "nginx.conf"))
        servers.enter_context(
            running(
                installed("prometheus"), f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}",
            )
        )  # fmt: skip
        yield port


def asked(port: int, question: str) -> list[dict[str, Any]]:
    """What Prometheus answers, once it has scraped and has an answer."""
    address = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': question})}"
    give_up = time.monotonic() + 40
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            found = []
        if found:
            return found
        assert time.monotonic() < give_up, f"no answer to {question}"
        time.sleep(0.2)


def test_prometheus_answers_who_reported_and_who_did_not(few: list[NodeStanding], tmp_path: Path) -> None:
    known = few[1:]  # the first is the same node as one that fell silent later
    with scraped(tmp_path, exported("prometheus", known)) as port:
        (up,) = asked(port, "up")
        assert up["value"][1] == "1"
        reported = {one["metric"]["node"]: one["value"][1] for one in asked(port, "sparkctl_node_reported")}
        visited = {each.node.node_id: each.last for each in known if each.last is not None}
        assert len(visited) < len(known)  # of who was never visited nothing is said
        assert reported == {name: str(int(last.envelope is not None)) for name, last in visited.items()}
        silent = asked(port, "count(sparkctl_node_reported == 0)")
        assert silent[0]["value"][1] == str(sum(last.envelope is None for last in visited.values()))
        targets = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/targets", timeout=5))
    (target,) = targets["data"]["activeTargets"]
    assert target["lastError"] == ""
