"""Rendering: what is in the files is what was asked, whatever is in the values."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sparkctl.airgap import templates as templates_module
from sparkctl.airgap.seed_render import Hook, instance_id, node_secret, render_grub, render_node
from sparkctl.airgap.templates import Templates
from sparkctl.app.seed_nodes import node_seeds
from sparkctl.app.site_file import SILENCED, read_site
from sparkctl.errors import RefusedError, SparkctlError, UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.model.seed import NodeSeed
from sparkctl.model.site import Site
from sparkctl.resources import shipped
from tests.support.seeds import HASH, SERIAL, make_site

HOOK = Hook("program\n", "unit\n", 'spark-seed namespaces="spark-seed" ssh-ed25519 AAAA\n')
TEMPLATES = Templates(shipped("cloud-init"))
HOSTILE = (
    "'", '"', "\n", "\r\n", "{{ 7*7 }}", "{% raw %}", "#cloud-config", "\n#cloud-config\n", "!!python/object:os.system",
    "- a\n- b", "a: b", "&anchor", "*alias", "%YAML 1.1", "---", "...", "\\", "\\n", "\x85", "\u2028", "\ufeff",
    "\U0001f600", "null", "~", "yes", "0o17", "1e3", "<<", "]", "}", "stand-in 0 of a value", "$(reboot)", "`reboot`",
    "x" * 5000,
)  # fmt: skip


@pytest.fixture(scope="module")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def site(site_folder: Path) -> Site:
    return read_site(site_folder / "site.yaml")


@pytest.fixture(scope="module")
def nodes(site_folder: Path, site: Site) -> list[NodeSeed]:
    return node_seeds(load_fleet(site_folder / "fleet.yaml").nodes, site)


def files_of(user_data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {file["path"]: file for file in user_data["write_files"]}


def test_user_data_says_what_the_site_says(site: Site, nodes: list[NodeSeed]) -> None:
    rendered = render_node(TEMPLATES, site, nodes[0], HOOK)["nodes/spark01/user-data"]
    assert rendered.startswith("#cloud-config\n")
    found = yaml.safe_load(rendered)
    assert (found["hostname"], found["fqdn"]) == ("spark01", "spark01.lab.example")
    ops, watch = found["users"]
    assert (ops["name"], ops["passwd"], ops["lock_passwd"], ops["groups"]) == ("ops", HASH, False, ["docker"])
    assert ops["ssh_authorized_keys"] == site.accounts[0].ssh_keys
    assert (watch["lock_passwd"], watch.keys() & {"passwd", "sudo"}) == (True, set())
    assert (found["ssh_pwauth"], found["disable_root"]) == (False, True)
    assert found["ntp"]["servers"] == ["10.20.0.1", "ntp.lab.example"]
    assert found["ca_certs"]["trusted"] == site.ca
    assert found["apt"] == {"preserve_sources_list": True, "http_proxy": "http://proxy.lab.example:3128"}
    files = files_of(found)
    source = files["/etc/apt/sources.list.d/site-ubuntu.sources"]["content"]
    assert "\nSigned-By: /etc/apt/keyrings/site-ubuntu.asc\n" in source
    assert files["/etc/apt/keyrings/site-ubuntu.asc"]["content"].startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----")
    for name in SILENCED:
        assert "URIs" not in files[f"/etc/apt/sources.list.d/{name}.sources"]["content"]
    assert "TrustedUserCAKeys /etc/ssh/site_user_ca.pub" in files["/etc/ssh/sshd_config.d/10-site.conf"]["content"]
    assert files["/etc/ssh/site_user_ca.pub"]["content"] == f"{site.user_ca[0]}\n"
    assert files["/etc/issue.net"]["content"] == 'Property of "the" lab. {{ 7*7 }}\n#cloud-config\n'
    assert files["/usr/local/sbin/spark-first-boot"]["permissions"] == "0755"
    assert (
        '[host."https://registry.lab.example:5000"]' in files["/etc/containerd/certs.d/docker.io/hosts.toml"]["content"]
    )
    authority = "/etc/containerd/certs.d/registry.lab.example:5000/ca.crt"
    assert f'ca = "{authority}"' in files["/etc/containerd/certs.d/docker.io/hosts.toml"]["content"]
    assert "BEGIN CERTIFICATE" in files[authority]["content"]
    assert files["/etc/docker/certs.d/registry.lab.example:5000/ca.crt"]["content"] == files[authority]["content"]
    assert "trusted=yes" not in rendered.replace(" ", "").lower()
    assert "disabled" not in json.dumps(found["runcmd"])


def test_each_node_has_its_own_name_interface_and_instance(site: Site, nodes: list[NodeSeed]) -> None:
    first, second = (render_node(TEMPLATES, site, node, HOOK) for node in nodes)
    network = yaml.safe_load(first["nodes/spark01/network-config"])
    assert network == {
        "version": 2,
        "ethernets": {
            "primary": {
                "match": {"macaddress": "4c:bb:47:00:00:01"}, "dhcp4": False, "dhcp6": False,
                "addresses": ["10.20.0.11/24"], "routes": [{"to": "default", "via": "10.20.0.1"}], "mtu": 9000,
                "nameservers": {"addresses": ["10.20.0.2"], "search": ["lab.example"]},
            }
        },
    }  # fmt: skip
    other = yaml.safe_load(second["nodes/spark02/network-config"])["ethernets"]["primary"]
    assert (other["dhcp4"], other["match"]["macaddress"]) == (True, "4c:bb:47:00:00:02")
    meta = yaml.safe_load(first["nodes/spark01/meta-data"])
    assert meta == {"instance-id": instance_id("spark01", SERIAL, 1), "local-hostname": "spark01"}
    assert instance_id("spark01", SERIAL, 2) != meta["instance-id"] != instance_id("spark01", None, 1)


def test_the_installer_gets_the_same_user_data_and_network(site: Site, nodes: list[NodeSeed]) -> None:
    rendered = render_node(TEMPLATES, site, nodes[0], HOOK)
    found = yaml.safe_load(rendered["http/spark01/user-data"])["autoinstall"]
    assert found["version"] == 1
    assert found["user-data"] == yaml.safe_load(rendered["nodes/spark01/user-data"])
    assert found["network"] == yaml.safe_load(rendered["nodes/spark01/network-config"])
    assert found["apt"] == {"geoip": False, "fallback": "offline-install"}
    assert "identity" not in found


def test_a_secret_of_a_stick_is_one_node_s_of_one_instance() -> None:
    secrets = {node_secret(b"m" * 32, *who) for who in (("a", "i1"), ("a", "i2"), ("b", "i1"), ("a\0i", "1"))}
    assert len(secrets) == 4
    assert node_secret(b"m" * 32, "a", "i1") in secrets
    assert node_secret(b"n" * 32, "a", "i1") not in secrets


@settings(max_examples=150, deadline=None)
@given(text=st.one_of(st.text(), st.lists(st.sampled_from(HOSTILE)).map("".join)))
@example(text="".join(HOSTILE))
def test_no_value_changes_the_structure(text: str, site: Site, nodes: list[NodeSeed]) -> None:
    """Any text at all, beyond what the models allow, comes out of the YAML as it went in, and moves nothing else."""
    text = text.encode("utf-8", "replace").decode()
    node, values = nodes[0].model_dump(mode="json"), site.model_dump(mode="json")
    file = {"path": "/etc/x", "mode": "0644", "content": text}
    hostile = {**node, "hostname": text, "fqdn": text}
    _, plain = TEMPLATES.yaml("user-data.j2", site=values, node=node, files=[{**file, "content": "x"}])
    rendered, found = TEMPLATES.yaml("user-data.j2", site=values, node=hostile, files=[file])
    assert rendered.startswith("#cloud-config\n")
    assert found["write_files"][0]["content"] == found["hostname"] == text
    assert {**found, "write_files": 0, "hostname": 0, "fqdn": 0} == {
        **plain,
        "write_files": 0,
        "hostname": 0,
        "fqdn": 0,
    }


@settings(max_examples=40, deadline=None)
@given(
    value=st.text(
        st.characters(
            exclude_categories=("C", "Zl", "Zp"), exclude_characters="\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
        ),
        max_size=900,
    )
)  # without what no label may have, as nobody sees it
@example(value="\"' {{ 7*7 }} {% raw %} #cloud-config !!python/object &a *a : - [ ] { } \\")
def test_labels_of_the_inventory_arrive_as_they_are(value: str, site: Site, nodes: list[NodeSeed]) -> None:
    node = NodeSeed(**{**nodes[0].model_dump(), "labels": {"note": value}})
    rendered = render_node(TEMPLATES, site, node, HOOK)
    about = json.loads(
        files_of(yaml.safe_load(rendered["nodes/spark01/user-data"]))["/etc/spark-seed/node.json"]["content"]
    )
    assert about["labels"] == {"note": value}


def test_what_is_not_what_was_meant_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The round trip finds a filter that lets a value out of its place."""
    (tmp_path / "t.j2").write_text("a: {{ value | tojson }}\n")
    monkeypatch.setattr(templates_module, "_json", lambda value: templates_module._Safe(str(value)))
    broken = Templates(tmp_path)
    assert broken.yaml("t.j2", value="plain")[1] == {"a": "plain"}
    for value in ("1\nb: 2", "a: b: c", "yes", "[x"):
        with pytest.raises(RefusedError, match=r"t\.j2"):
            broken.yaml("t.j2", value=value)


def test_a_value_without_a_filter_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "t.j2").write_text("a: {{ value }}\n")
    (tmp_path / "missing.j2").write_text("a: {{ nothing.there | tojson }}\n")
    with pytest.raises(SparkctlError, match="without a filter"):
        Templates(tmp_path).text("t.j2", value="x")


@pytest.mark.parametrize("text", ["a b", "a\nb", 'a"b', "a'b", "a;b", "$(x)", "a{b", "", "a\\b", "é"])
def test_a_word_is_a_word(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.j2").write_text("a {{ value | word }}\n")
    with pytest.raises(RefusedError, match="cannot stand"):
        Templates(tmp_path).text("t.j2", value=text)


def test_a_serial_that_a_boot_menu_cannot_hold_is_refused(site: Site, nodes: list[NodeSeed]) -> None:
    node = NodeSeed(**{**nodes[0].model_dump(), "serial": '"; reboot; "'})
    with pytest.raises(RefusedError, match="cannot stand"):
        render_grub(TEMPLATES, site, [node])


@pytest.mark.parametrize("name", ["1rack-a", "0", "0x2", "disk"])
def test_a_machine_gets_its_own_entry_of_the_boot_menu_whatever_its_name(
    name: str, site: Site, nodes: list[NodeSeed]
) -> None:
    """grub 2.06 takes a default that begins with a digit for the number of an entry."""
    node = nodes[1].model_copy(update={"node_id": name})
    menu = render_grub(TEMPLATES, site, [nodes[0], node]) or ""
    (default,) = re.findall(rf'"{node.mac}" \]; then set default="([^"]+)"', menu)
    assert not default[0].isdigit()
    (seed,) = re.findall(rf'--id "?{default}"? {{[^}}]*nocloud;s=[^"]*/([^/"]+)/"', menu)
    assert seed == name
    assert len(re.findall(rf'--id "?{default}"? {{', menu)) == 1


@pytest.mark.parametrize(
    ("fleet", "words"),
    [
        ("spark01: {}", "no label `mac`"),
        ("spark01: {labels: {mac: nonsense}}", "must be a MAC address"),
        ('spark01: {labels: {mac: "4c:bb:47:00:00:01", address: 10.0.0.5}}', "with its prefix"),
        ('spark01: {labels: {mac: "4c:bb:47:00:00:01", address: "fe80::1%a/64"}}', "with its prefix"),
        (
            'spark01: {labels: {mac: "4c:bb:47:00:00:01", address: 10.99.0.5/24}}',
            "is not in the network of its address",
        ),
        (
            'spark01: {labels: {mac: "4c:bb:47:00:00:01", address: "fd00::5/64"}}',
            "is not in the network of its address",
        ),
        ('spark_01: {labels: {mac: "4c:bb:47:00:00:01"}}', "cannot name a host"),
        ('{a: {labels: {mac: "4c:bb:47:00:00:01"}}, b: {labels: {mac: "4C-BB-47-00-00-01"}}}', "the same MAC address"),
    ],
)
def test_a_node_of_which_too_little_is_known_is_refused(fleet: str, words: str, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(f"nodes: {fleet}\n" if fleet.startswith("{") else f"nodes:\n  {fleet}\n")
    with pytest.raises(UsageError, match=words):
        node_seeds(load_fleet(path).nodes, site)
