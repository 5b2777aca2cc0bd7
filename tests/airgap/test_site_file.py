"""A site file: what is wrong with it is said with file, line and key, and no secret is repeated."""

import base64
from pathlib import Path

import pytest

from sparkctl.app.site_file import examine, read_site
from tests.support.command import json_lines, sparkctl
from tests.support.seeds import make_site, ssh_key


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_site(tmp_path_factory.mktemp("site"))


def test_the_whole_site_is_read(folder: Path) -> None:
    site = read_site(folder / "site.yaml")
    assert [account.name for account in site.accounts] == ["ops", "watch"]
    assert site.files[0].source == folder / "extra.conf"
    assert site.boot
    assert "saltsalt" not in repr(site.accounts[0])


@pytest.mark.parametrize(
    ("wrong", "key", "words"),
    [
        ("accounts: {ops: {password: hunter2}}", "accounts.ops.password", "a password must not stand"),
        (
            "accounts: {ops: {plain_text_passwd: hunter2}}",
            "accounts.ops.plain_text_passwd",
            "a password must not stand",
        ),
        ("accounts: {ops: {password_hash: hunter2}}", "accounts.ops.password_hash", "no hash that begins"),
        (
            'accounts: {ops: {password_hash: "$1$abcdefgh$hunter2hunter2hunter2."}}',
            "accounts.ops.password_hash",
            "no hash",
        ),
        ("accounts: {ops: {groups: [docker]}}", "accounts", "nobody could sign in"),
        ("user_ca: ['@@KEY@@']", "accounts", "nobody could sign in"),
        ("accounts: {root: {ssh_keys: ['@@KEY@@']}}", "accounts.root", "root does not sign in"),
        ("accounts: {Ops: {}}", "accounts.Ops", "the name of an account"),
        ("accounts: {ops: {ssh_keys: [ssh-ed25519 AAAA]}}", "accounts.ops.ssh_keys", "a whole public key"),
        ('accounts: {ops: {ssh_keys: ["command=x ssh-ed25519 AAAA"]}}', "accounts.ops.ssh_keys", "a public key"),
        ("accounts: {ops: {ssh_keys: ['PRIVATE KEY hunter2']}}", "accounts.ops.ssh_keys", "a public key"),
        ("apt: {sources: {m: {uris: ['http://me:hunter2@m/']}}}", "apt.sources.m.uris", "without a login"),
        ("boot: {url: 'http://me:hunter2@m/'}", "boot.url", "without a login"),
        ("proxy: {http: 'http://me:hunter2@proxy:3128'}", "proxy.http", "a login must not stand"),
        ("proxy: {http: 'http://proxy:3128/%(x)s'}", "proxy.http", "must be http"),
        (
            "apt: {sources: {m: {uris: [http://m/], suites: [s], trusted: yes}}}",
            "apt.sources.m.trusted",
            "nobody signed",
        ),
        ("apt: {sources: {m: {uris: [http://m/], suites: [s]}}}", "apt.sources.m", "`signed_by` is missing"),
        (
            "apt: {sources: {m: {uris: [http://m/], suites: [s], signed_by: ca.pem}}}",
            "apt.sources.m.signed_by",
            "OpenPGP",
        ),
        ("ca: seed_key", "ca", "a private key"),
        ("ca: nowhere.pem", "ca", "a file that is there"),
        ("ntp: ['bad host']", "ntp", "host name"),
        ('ntp: ["fe80::1%;reboot"]', "ntp", "host name"),
        ('network: {gateway: "fe80::1%a\\x1bb"}', "network.gateway", "without a zone"),
        ("domain: 'a b'", "domain", "host name"),
        ("files: {/etc/../shadow: {from: tool}}", "files./etc/../shadow", "absolute path"),
        (
            "files: {/etc/a/b: {from: tool}, /etc/a: {from: tool}}",
            "files./etc/a",
            "below a file",
        ),
        (
            "registries: {a.example: {mirror_of: docker.io}, b.example: {mirror_of: docker.io}}",
            "registries.b.example.mirror_of",
            "a.example serves the images of docker.io already",
        ),
        (
            "apt: {sources: {m: {uris: [http://m/], suites: [s], signed_by: mirror.asc}}}",
            "apt.sources.m.suites",
            "needs `components`",
        ),
        (
            "apt: {sources: {m: {uris: [http://m/], suites: [flat/], components: [main], signed_by: mirror.asc}}}",
            "apt.sources.m.suites",
            "ends with / and takes no",
        ),
        ("files: {/etc/ssh/ssh_host_rsa_key: {from: tool}}", "files./etc/ssh/ssh_host_rsa_key", "must not lie there"),
        (
            "files: {/var/lib/spark-first-boot/done: {from: tool}}",
            "files./var/lib/spark-first-boot/done",
            "must not lie",
        ),
        ("boot: {url: 'http://x/;reboot', kernel: /k, initrd: /i}", "boot.url", "must be http"),
        ("storage: raid", "storage", "must be one of"),
        ("cloud: yes", "cloud", "unknown key"),
        ("version: 2", "version", "must be 1"),
        (f"domain: {'a' * 300}", "domain", "host name"),
        (f"timezone: {'A' * 200}", "timezone", "time zone"),
        (f"user_ca: ['ssh-rsa {'A' * 7000}']", "user_ca", "at most 6,000"),
        (f"proxy: {{https: 'http://{'a' * 300}:1'}}", "proxy.https", "must be http"),
        (
            f"apt: {{sources: {{m: {{uris: ['http://m/{'a' * 600}'], suites: [s]}}}}}}",
            "apt.sources.m.uris",
            "must be http",
        ),
        (f"banner: {'x' * 5000}", "banner", "at most 4,000"),
        ('banner: "a\\u202eb"', "banner", "printable"),
        ('banner: "\\x9b2J"', "banner", "printable"),
    ],
)
def test_every_mistake_is_told_with_its_place(wrong: str, key: str, words: str, folder: Path) -> None:
    path = folder / "wrong.yaml"
    wrong = wrong.replace("@@KEY@@", (folder / "ops_key.pub").read_text().strip())
    path.write_text(("" if wrong.startswith("version") else "version: 1\n") + wrong + "\n")
    site, problems = examine(path)
    assert site is None
    told = {problem.key: problem for problem in problems}
    assert key in told, problems
    assert words in told[key].message
    assert told[key].line is not None
    assert not any("hunter2" in problem.model_dump_json() for problem in problems)


def test_what_is_as_long_as_it_may_be_is_taken(folder: Path) -> None:
    host = ".".join(["a" * 60] * 4)
    path = folder / "long.yaml"
    key = ssh_rsa()
    path.write_text(
        f"version: 1\ndomain: {host}\nntp: [{host}]\nproxy: {{http: 'http://{host}:3128', no_proxy: [.{host}]}}\n"
        f"registries: {{'{host}:5000': {{mirror_of: ['{host}:443']}}}}\nuser_ca: ['{key}']\n"
        "accounts: {ops: {}}\n"
        f"apt: {{sources: {{m: {{uris: ['http://{host}/{'a' * 500}'], suites: [s], components: [c],"
        " signed_by: mirror.asc}}}\n"
    )
    site = read_site(path)
    assert (site.domain, site.registries[0].host, site.user_ca) == (host, f"{host}:5000", [key])


def ssh_rsa() -> str:
    """A key of 16,384 bits by its form; it takes a minute to make a real one."""
    number = b"\x00" + b"\xff" * 2048
    parts = [b"ssh-rsa", b"\x01\x00\x01", number]
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return f"ssh-rsa {base64.b64encode(blob).decode()}"


def test_all_mistakes_are_listed_by_the_command(folder: Path) -> None:
    path = folder / "two.yaml"
    path.write_text("version: 1\nntp: ['bad host']\ndomain: 'a b'\n")
    ran = sparkctl("airgap", "seed", "--site-file", path, "--check", home=folder)
    assert ran.returncode == 2
    assert [problem["line"] for problem in json_lines(ran)] == [1, 2, 3]
    good = sparkctl("airgap", "seed", "--site-file", folder / "site.yaml", "--check", home=folder)
    assert (good.returncode, good.stdout) == (0, "")


def test_a_public_key_of_openssh_loses_what_follows_it(tmp_path: Path, folder: Path) -> None:
    key = ssh_key(tmp_path / "key")
    path = folder / "key.yaml"
    path.write_text(f"version: 1\naccounts: {{ops: {{}}}}\nuser_ca: ['{key} \"x\" #cloud-config']\n")
    assert read_site(path).user_ca == [f"{key}__x___cloud-config"]
