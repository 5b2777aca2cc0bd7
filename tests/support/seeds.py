"""A site and a small fleet of which seeds are made, in a folder of a test."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.command import sparkctl

HASH = "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/"
SERIAL = "1581124050001"

MIRROR_KEY = """-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawz+UBYJKwYBBAHaRw8BAQdAcnFk21hxi1wIqwGBy7oSfG1U9HTkrZjuzw+7
sQOCOQy0C21pcnJvckBzaXRliJAEExYIADgWIQQJZc/wvvKGNOCEJmsI+fGjJZUa
yQUCawz+UAIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRAI+fGjJZUayd4o
AP43ChBN5xlF4sF2GLeJ9fn+JLokyo9XrQDbdVUDk4+3XQD/SJwGGg/ypauIuTE/
11MGKDd0tiVEjkbE00WfktT/AAM=
=Nj7Y
-----END PGP PUBLIC KEY BLOCK-----
"""

FLEET = """
nodes:
  spark01:
    serial: "1581124050001"
    labels: {mac: "4C:BB:47:00:00:01", address: 10.20.0.11/24, owner: "O'Neil \\"ml\\""}
  spark02: {labels: {mac: "4c-bb-47-00-00-02", rack_note: "{{ 7*7 }} #cloud-config"}}
"""

SITE = """
version: 1
domain: lab.example
timezone: Europe/Berlin
banner: |
  Property of "the" lab. {{ 7*7 }}
  #cloud-config
ntp: [10.20.0.1, ntp.lab.example]
ca: ca.pem
network: {gateway: 10.20.0.1, dns: [10.20.0.2], search: [lab.example], mtu: 9000}
proxy: {http: "http://proxy.lab.example:3128", no_proxy: [.lab.example, 10.0.0.0/8]}
apt:
  sources:
    site-ubuntu:
      uris: [http://mirror.lab.example/ubuntu-ports]
      suites: [noble, noble-updates]
      components: [main, universe]
      signed_by: mirror.asc
  pins:
    site-first: {packages: ["*"], pin: "origin mirror.lab.example", priority: 900}
packages: [chrony]
registries:
  registry.lab.example:5000: {ca: ca.pem, mirror_of: [docker.io]}
accounts:
  ops: {password_hash: "@@HASH@@", ssh_keys: ["@@OPS@@"], groups: [docker], sudo: true}
  watch: {ssh_keys: ["@@OPS@@"]}
user_ca: ["@@OPS@@"]
files:
  /etc/site/extra.conf: {from: extra.conf, mode: "0640"}
  /opt/site:5000/tool: {from: tool, mode: "0755"}
boot: {url: http://10.20.0.5/seeds, kernel: /casper/vmlinuz, initrd: /casper/initrd}
"""


def ssh_key(path: Path) -> str:
    """Make a key of OpenSSH without a passphrase; its public half in one line."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return Path(f"{path}.pub").read_text().strip()


def certificate() -> str:
    """A certificate of a CA that nobody else knows."""
    key, now = Ed25519PrivateKey.generate(), datetime(2024, 1, 1, tzinfo=UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "site")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=9000))
    return builder.sign(key, None).public_bytes(Encoding.PEM).decode()


def make_site(folder: Path) -> Path:
    """Put a site file and everything that it names into a folder, with a fleet and a signing key."""
    folder.mkdir(parents=True, exist_ok=True)
    ssh_key(folder / "seed_key")
    site = SITE.replace("@@OPS@@", ssh_key(folder / "ops_key")).replace("@@HASH@@", HASH)
    (folder / "site.yaml").write_text(site)
    (folder / "fleet.yaml").write_text(FLEET)
    (folder / "ca.pem").write_text(certificate())
    (folder / "mirror.asc").write_text(MIRROR_KEY)
    (folder / "extra.conf").write_text("setting = 1\n")
    (folder / "tool").write_text("#!/bin/sh\necho tool\n")
    return folder


def seed(folder: Path, out: str, *more: str | Path) -> "subprocess.CompletedProcess[str]":
    """Make seeds of the site in a folder."""
    return sparkctl(
        "airgap", "seed", "--site-file", folder / "site.yaml", "--fleet", folder / "fleet.yaml",
        "--state", folder / "state", "--out", folder / out, "--key", folder / "seed_key", *more, home=folder,
    )  # fmt: skip
