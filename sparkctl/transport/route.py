"""From a node of the inventory to the hosts that are passed on the way: explicit settings first, then ssh_config."""

import os
import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import asyncssh

from sparkctl.model.inventory import Node, SshSettings
from sparkctl.model.printable import printable
from sparkctl.transport.faults import bad_settings
from sparkctl.transport.hostkeys import DEFAULT_PORT
from sparkctl.transport.settings import TransportSettings
from sparkctl.transport.ssh_config import HostPatterns
from sparkctl.transport.ssh_connection import prefer_cheap_algorithms

_HOP = re.compile(
    r"^(?:(?P<user>[^@]+)@)?(?:\[(?P<six>[0-9A-Fa-f:.%]+)\]|(?P<host>[^:@\[\]]+))(?::(?P<port>\d{1,5}))?$"
)
_MOST_HOPS = 8
_NO_CONFIG = Path(os.devnull)  # named as the ssh_config of a node, it means that none is read


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One SSH server on the way, the node itself included.

    `label` is what the operator wrote. `key_host` and `key_port` are the name its host key is pinned under: that of
    `HostKeyAlias`, else the address that is connected to. `identities_named` tells whether the identity files were
    named for this host, and so must be usable. `options` carries the algorithms of ssh_config; hosts that ssh_config
    treats alike share them. Two endpoints are equal when the same connection serves both.
    """

    label: str
    host: str
    port: int
    user: str
    key_host: str
    key_port: int
    identity_files: tuple[Path, ...]
    identities_named: bool
    certificate_files: tuple[Path, ...]
    identities_only: bool
    agent_path: str | None
    known_hosts_files: tuple[Path, ...]
    accept_new: bool
    config_files: tuple[Path, ...]
    options: asyncssh.SSHClientConnectionOptions = field(compare=False)


@dataclass(frozen=True, slots=True)
class Route:
    """The jump hosts in the order they are passed, then the node."""

    jumps: tuple[Endpoint, ...]
    node: Endpoint


class Router:
    """Plans routes; ssh_config is evaluated once per node and run, and only once for all nodes that it treats alike.

    Raises TransportError(bad_settings).
    """

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self._config_files = tuple(path for path in settings.config_files if path.is_file())
        self._patterns: dict[tuple[Path, ...], HostPatterns] = {}
        self._evaluated: dict[Hashable, asyncssh.SSHClientConnectionOptions] = {}
        self._routes: dict[str, tuple[SshSettings, Route]] = {}

    def route(self, node: Node) -> Route:
        """The way to a node."""
        known = self._routes.get(node.node_id)
        if known is None or known[0] != node.ssh:
            known = (node.ssh, self._plan(node))
            self._routes[node.node_id] = known
        return known[1]

    def _plan(self, node: Node) -> Route:
        ssh = node.ssh
        endpoint = self._endpoint(node.node_id, ssh.host or node.node_id, ssh.user, ssh.port, ssh)
        specs = list(ssh.jump) or _proxy_jump(endpoint)
        return Route(tuple(self._hops(specs, ssh)), endpoint)

    def _hops(self, specs: list[str], ssh: SshSettings) -> list[Endpoint]:
        """The hops of a list; ssh_config may put more before the first one."""
        hops: list[Endpoint] = []
        while specs:
            here = [self._hop(spec, ssh) for spec in specs]
            hops = here + hops
            specs = [] if ssh.jump else _proxy_jump(here[0])
            if len(hops) > _MOST_HOPS:
                raise bad_settings(
                    f"more than {_MOST_HOPS} jump hosts on the way to {hops[-1].label}",
                    "check ssh_config for a ProxyJump that leads back to itself",
                )
        return hops

    def _hop(self, spec: str, ssh: SshSettings) -> Endpoint:
        parts = _HOP.match(spec)
        if parts is None or int(parts["port"] or 1) not in range(1, 65536):
            raise bad_settings(f"the jump host {printable(spec)!r} is not of the form [user@]host[:port]")
        host = parts["six"] or parts["host"]
        return self._endpoint(spec, host, parts["user"], int(parts["port"]) if parts["port"] else None, ssh)

    def _endpoint(self, label: str, name: str, user: str | None, port: int | None, ssh: SshSettings) -> Endpoint:
        files = self._files(ssh)
        options = self._options(files, name, user, port)
        config = options.config
        if options.proxy_command:
            raise bad_settings(
                f"ssh_config gives {label} a ProxyCommand, which is not supported",
                "use ProxyJump, or `jump:` in the inventory",
            )
        named = tuple(ssh.identity_files) or _paths(config.get("IdentityFile"))
        known_hosts = tuple(ssh.known_hosts_files) or self._configured_known_hosts(config)
        _require(ssh.known_hosts_files)
        host = cast("str", config.get("Hostname", name))
        return Endpoint(
            label=label,
            host=host,
            port=options.port,
            user=options.username,
            key_host=options.host_key_alias or host,
            key_port=DEFAULT_PORT if options.host_key_alias else options.port,
            identity_files=_expanded(named or self._settings.identity_files),
            identities_named=bool(named),
            certificate_files=_expanded(tuple(ssh.certificate_files) or _paths(config.get("CertificateFile"))),
            identities_only=bool(config.get("IdentitiesOnly")),
            agent_path=self._agent(config.get("IdentityAgent", ())) if ssh.agent else None,
            known_hosts_files=(self._settings.pins_file, *_expanded(known_hosts)),
            accept_new=ssh.host_key_policy == "accept-new",
            config_files=files,
            options=options,
        )

    def _files(self, ssh: SshSettings) -> tuple[Path, ...]:
        """The ssh_config files that hold for a node."""
        if ssh.config_file == _NO_CONFIG:
            return ()
        if ssh.config_file:
            _require([ssh.config_file])
            return _expanded((ssh.config_file,))
        return self._config_files

    def _options(
        self, files: tuple[Path, ...], name: str, user: str | None, port: int | None
    ) -> asyncssh.SSHClientConnectionOptions:
        """What ssh_config says of one host, evaluated anew only where it may differ from what is known."""
        if files not in self._patterns:
            self._patterns[files] = HostPatterns(files)
        kind = self._patterns[files].kind(name)
        if kind is None:
            return self._evaluate(files, name, user, port)
        key = (files, user, port, kind)
        if key not in self._evaluated:
            self._evaluated[key] = self._evaluate(files, name, user, port)
        return self._evaluated[key]

    def _evaluate(
        self, files: tuple[Path, ...], name: str, user: str | None, port: int | None
    ) -> asyncssh.SSHClientConnectionOptions:
        """What ssh_config says of one host. Keys, agent and known hosts are handled by us, so none are loaded here."""
        try:
            options = asyncssh.SSHClientConnectionOptions(
                config=[str(path) for path in files],
                host=name,
                port=() if port is None else port,
                username=() if user is None else user,
                client_keys=None,
                known_hosts=None,
                agent_path=None,
                agent_forwarding=False,
                x509_trusted_certs=None,
                x509_trusted_cert_paths=[],
                gss_host=None,
                canonicalize_hostname=False,
                connect_timeout=None,
                login_timeout=0,
                keepalive_interval=0,
                preferred_auth="publickey",
                client_host_keysign=False,
            )
        except (OSError, ValueError, KeyError, asyncssh.Error) as error:
            raise bad_settings(f"ssh_config cannot be used for {name}: {printable(str(error))}") from None
        prefer_cheap_algorithms(options)
        return options

    def _configured_known_hosts(self, config: asyncssh.config.SSHConfig) -> tuple[Path, ...]:
        mine = _paths(config.get("UserKnownHostsFile"))
        everyone = _paths(config.get("GlobalKnownHostsFile"))
        return (mine + everyone) or self._settings.known_hosts_files

    def _agent(self, configured: object) -> str | None:
        """`IdentityAgent` of ssh_config: a path, `none`, or `SSH_AUTH_SOCK` for the usual one."""
        if configured in ((), "SSH_AUTH_SOCK"):
            return self._settings.agent_path
        return str(Path(configured).expanduser()) if isinstance(configured, str) else None


def _proxy_jump(endpoint: Endpoint) -> list[str]:
    configured = endpoint.options.tunnel
    return [hop.strip() for hop in configured.split(",")] if isinstance(configured, str) else []


def _paths(values: object) -> tuple[Path, ...]:
    return tuple(Path(value) for value in cast("list[str]", values or []))


def _expanded(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    return tuple(_home_expanded(path) for path in paths)


def _home_expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise bad_settings(f"the home folder of {printable(str(path))} is not known", "write the whole path") from None


def _require(paths: list[Path]) -> None:
    """Refuse a file that the inventory names and that is not there."""
    for path in paths:
        if not _home_expanded(path).is_file():
            raise bad_settings(f"{path}: no such file", "correct the path in the inventory")
