"""What a seed is made of: from a site and one node to the text of every file that cloud-init and the installer read."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass

from sparkctl.airgap.templates import Templates
from sparkctl.model.seed import NodeSeed
from sparkctl.model.site import Site

SILENCED_TEXT = "# What was here names a server on the internet. The sources of this site stand beside it.\n"


@dataclass(frozen=True, slots=True)
class Hook:
    """The first-boot hook: its program, its unit, and whom it believes (an allowed-signers file)."""

    program: str
    unit: str
    allowed_signers: str


def render_node(templates: Templates, site: Site, node: NodeSeed, hook: Hook) -> dict[str, str]:
    """Every file of one node by its name in a folder of seeds. Raises RefusedError.

    What is under `http` holds no secret of a stick: it is what an installer fetches.
    """
    values = {"site": site.model_dump(mode="json"), "node": node.model_dump(mode="json")}
    files = [
        {"path": path, "mode": mode, "content": content}
        for path, (mode, content) in sorted(_written(templates, site, node, hook).items())
    ]
    user_data, found = templates.yaml("user-data.j2", **values, files=files)
    meta_data, _ = templates.yaml("meta-data.j2", **values)
    network_config, network = templates.yaml("network-config.j2", **values)
    autoinstall, _ = templates.yaml("autoinstall.j2", **values, user_data=found, network=network)
    return {
        f"nodes/{node.node_id}/user-data": user_data,
        f"nodes/{node.node_id}/meta-data": meta_data,
        f"nodes/{node.node_id}/network-config": network_config,
        f"http/{node.node_id}/user-data": autoinstall,
        f"http/{node.node_id}/meta-data": meta_data,
    }


def render_grub(templates: Templates, site: Site, nodes: list[NodeSeed]) -> str | None:
    """The menu of a boot server, None when the site has none. Raises RefusedError for a serial that it cannot hold."""
    if site.boot is None:
        return None
    return templates.text("grub.cfg.j2", boot=site.boot, nodes=nodes)


@dataclass(frozen=True, slots=True)
class InstallerNode:
    """A node that a menu installs, and how it knows the machine: by its serial, else by its MAC address."""

    node_id: str
    mac: str
    serial: str | None


@dataclass(frozen=True, slots=True)
class InstallerMenu:
    """What the menu of a repacked installer is made of.

    `seeds` is the folder of seeds on the medium; `before` and `after` are words for the kernel on both sides of `---`.
    """

    kernel: str
    initrd: str
    before: Sequence[str]
    after: Sequence[str]
    seeds: str
    nodes: Sequence[InstallerNode]

    @property
    def by_mac(self) -> list[InstallerNode]:
        """The nodes of which no serial is known."""
        return [node for node in self.nodes if node.serial is None]


def render_installer_menu(templates: Templates, menu: InstallerMenu) -> str:
    """The menu of a repacked installer. Raises RefusedError for a word that it cannot hold."""
    return templates.text("installer-grub.cfg.j2", menu=menu)


def instance_id(node_id: str, serial: str | None, revision: int) -> str:
    """The same for the same node, serial and revision; another one makes cloud-init begin anew."""
    digest = hashlib.sha256(json.dumps([node_id, serial, revision]).encode()).hexdigest()
    return f"spark-{digest[:20]}"


def node_secret(master: bytes, node_id: str, instance: str) -> str:
    """The secret of one node's stick, which the master secret of the bastion gives again at any time."""

    return hmac.new(master, f"spark-seed enrolment\0{node_id}\0{instance}".encode(), hashlib.sha256).hexdigest()


def _written(templates: Templates, site: Site, node: NodeSeed, hook: Hook) -> dict[str, tuple[str, str]]:
    """What cloud-init writes on the node: mode and content by path."""
    about = {key: getattr(node, key) for key in ("node_id", "instance_id", "serial", "labels")}
    files = {
        "/usr/local/sbin/spark-first-boot": ("0755", hook.program),
        "/etc/systemd/system/spark-first-boot.service": ("0644", hook.unit),
        "/etc/spark-seed/allowed_signers": ("0644", hook.allowed_signers),
        "/etc/spark-seed/node.json": ("0644", json.dumps(about, indent=2, sort_keys=True) + "\n"),
        "/etc/ssh/sshd_config.d/10-site.conf": ("0644", templates.text("sshd.conf.j2", site=site)),
    }
    if site.user_ca:
        files["/etc/ssh/site_user_ca.pub"] = ("0644", "".join(f"{key}\n" for key in site.user_ca))
    if site.banner:
        files["/etc/issue.net"] = ("0644", site.banner.rstrip("\n") + "\n")
    return files | _apt(templates, site) | _proxy(templates, site) | _registries(templates, site)


def _apt(templates: Templates, site: Site) -> dict[str, tuple[str, str]]:
    folder = "/etc/apt/sources.list.d"
    files = {f"{folder}/{name}.sources": ("0644", SILENCED_TEXT) for name in site.silenced_sources}
    for source in site.sources:
        files[f"{folder}/{source.name}.sources"] = ("0644", templates.text("apt.sources.j2", source=source))
        files[f"/etc/apt/keyrings/{source.name}.asc"] = ("0644", source.key)
    if site.pins:
        files["/etc/apt/preferences.d/site"] = ("0644", templates.text("apt-pins.j2", pins=site.pins))
    return files


def _proxy(templates: Templates, site: Site) -> dict[str, tuple[str, str]]:
    given = (("http_proxy", site.proxy.http), ("https_proxy", site.proxy.https))
    proxy = [(name, value) for name, value in given if value]
    if not proxy:
        return {}
    if site.proxy.no_proxy:
        proxy.append(("no_proxy", ",".join(site.proxy.no_proxy)))
    return {
        "/etc/systemd/system.conf.d/60-site-proxy.conf": ("0644", templates.text("proxy.conf.j2", proxy=proxy)),
        "/etc/profile.d/site-proxy.sh": ("0644", templates.text("proxy.sh.j2", proxy=proxy)),
    }


def _registries(templates: Templates, site: Site) -> dict[str, tuple[str, str]]:
    files = {}
    for registry in site.registries:
        if registry.ca:
            files[f"/etc/docker/certs.d/{registry.host}/ca.crt"] = ("0644", registry.ca)
            # In the folder of its host, where containerd looks when something is pulled from the registry itself
            # (docs/hosts.md of containerd, "Support for Docker's Certificate File Pattern"); hosts.toml names it, too.
            files[f"/etc/containerd/certs.d/{registry.host}/ca.crt"] = ("0644", registry.ca)
        for upstream in registry.mirror_of:
            hosts = templates.text("hosts.toml.j2", registry=registry, below="")
            files[f"/etc/containerd/certs.d/{upstream}/hosts.toml"] = ("0644", hosts)
    return files
