"""Read a site file, strictly: every error names file, line and key, and none repeats what may be a secret."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from sparkctl.app import site_values as values
from sparkctl.app.apt_pins import read_pins
from sparkctl.app.file_fields import Fields
from sparkctl.app.file_values import lexical, matches, number, one_of
from sparkctl.app.settings_file import examined, usable
from sparkctl.inventory.problems import Problems
from sparkctl.inventory.yaml_nodes import Mapping as YamlMapping
from sparkctl.model.base import PRINTABLE
from sparkctl.model.inventory import Problem
from sparkctl.model.site import (
    Account,
    AptSource,
    BootSettings,
    PlacedFile,
    Proxy,
    Registry,
    Site,
    SiteNetwork,
)

_TOP = (
    "version", "revision", "domain", "locale", "timezone", "keyboard", "banner", "ntp", "ca", "network", "proxy", "apt",
    "packages", "registries", "accounts", "user_ca", "files", "storage", "boot",
)  # fmt: skip
SILENCED = (
    "ubuntu", "dgx", "spark", "cuda-compute-repo", "nvhpc", "canonical-nvidia-ubuntu-nvidia-desktop-edge-noble",
    "nv-vulkan-desktop-ppa", "ubuntu-esm-apps", "ubuntu-esm-infra", "ai-workbench-desktop",
)  # fmt: skip
"""The files in /etc/apt/sources.list.d of DGX OS 7 that name servers on the internet (DGX Spark, surveyed 2025)."""

_CLEAR = ("password", "passwd", "plain_text_passwd", "plain_password")
_NOT_SIGNED = ("trusted", "allow_insecure", "allow_weak", "only_trusted")

_PRINTABLE = re.compile(PRINTABLE)

Entries = Iterator[tuple[str, Fields]]


def read_site(path: Path) -> Site:
    """The site in a file. Raises UsageError for the first error in it, with file, line and key."""
    return usable(examine(path), "sparkctl airgap seed --check")


def examine(path: Path) -> tuple[Site | None, list[Problem]]:
    """What the file says, None where that is of no use, and everything that is wrong with it."""
    file = lexical(path)
    return examined(file, "with the key `accounts`", lambda root, problems: _Reader(file, root, problems).read())


class _Reader:
    def __init__(self, path: Path, root: YamlMapping, problems: Problems) -> None:
        self._path, self._problems = path, problems
        self._top = Fields(root, "", path, problems, _TOP)

    def read(self) -> Site:
        """The site; what is wrong with it is noted, and it counts for nothing then."""
        top = self._top
        top.text("version", matches("1", "must be 1"), required="Write `version: 1`.")
        apt = top.under("apt", ("sources", "silence", "pins"))
        accounts, user_ca = list(self._accounts()), top.texts("user_ca", values.ssh_key)
        if not any(account.ssh_keys or user_ca for account in accounts):
            action = "Give an account `ssh_keys`, or name an account and a `user_ca`."
            top.wrong("accounts", "nobody could sign in over SSH", action)
        return Site(
            revision=top.text("revision", number(1, 999_999)) or 1,
            domain=top.text("domain", values.host_name),
            locale=top.text("locale", values.locale_name) or "C.UTF-8",
            timezone=top.text("timezone", values.zone_name) or "Etc/UTC",
            keyboard=top.text("keyboard", matches(r"[a-z]{2,10}", "must be a layout such as us")) or "us",
            banner=top.text("banner", _banner),
            ntp=top.texts("ntp", values.address_or_name),
            ca=top.texts("ca", self._file(values.certificates)),
            network=self._network(),
            proxy=self._proxy(),
            sources=list(self._sources(apt)),
            silenced_sources=apt.texts("silence", values.short_name) if apt.has("silence") else list(SILENCED),
            pins=list(read_pins(apt)),
            packages=top.texts("packages", values.package_name),
            registries=list(self._registries()),
            accounts=accounts,
            user_ca=user_ca,
            files=list(self._files()),
            storage=top.text("storage", one_of(("lvm", "direct", "zfs"))) or "direct",
            boot=self._boot(),
        )

    def _file(self, read: Callable[[Path], str]) -> Callable[[str], str]:
        return lambda text: read(lexical(self._top.folder / text))

    def _accounts(self) -> Iterator[Account]:
        known = ("password_hash", "ssh_keys", "groups", "sudo", *_CLEAR)
        for name, fields in self._top.each("accounts", known, values.account_name):
            if name == "root":
                fields.wrong(None, "root does not sign in over SSH", "Give another account `sudo: true`.")
                continue
            for key in _CLEAR:
                if fields.has(key):
                    fields.wrong(key, "a password must not stand in this file", _HASH_IT)
            yield Account(
                name=name,
                password_hash=self._hash(fields),
                ssh_keys=fields.texts("ssh_keys", values.ssh_key),
                groups=fields.texts("groups", values.account_name),
                sudo=fields.text("sudo", one_of(("true", "false"))) == "true",
            )

    def _hash(self, fields: Fields) -> str | None:
        text = fields.text("password_hash", str)
        if text is not None and not values.HASH.fullmatch(text):
            fields.wrong("password_hash", "this is no hash that begins with $6$ or $y$", _HASH_IT)  # not repeated
            return None
        return text

    def _network(self) -> SiteNetwork:
        fields = self._top.under("network", ("gateway", "mtu", "dns", "search"))
        return SiteNetwork(
            gateway=fields.text("gateway", values.address),
            mtu=fields.text("mtu", number(1280, 9216)),
            dns=fields.texts("dns", values.address),
            search=fields.texts("search", values.host_name),
        )

    def _proxy(self) -> Proxy:
        fields = self._top.under("proxy", ("http", "https", "no_proxy"))
        for key in ("http", "https"):
            if "@" in (fields.text(key, str) or ""):
                fields.wrong(key, "a login must not stand in this file", "Let the proxy know nodes by their address.")
                return Proxy(http=None, https=None, no_proxy=[])
        return Proxy(
            http=fields.text("http", values.proxy_url),
            https=fields.text("https", values.proxy_url),
            no_proxy=fields.texts("no_proxy", values.no_proxy_word),
        )

    def _sources(self, apt: Fields) -> Iterator[AptSource]:
        known = ("uris", "suites", "components", "architectures", "signed_by", *_NOT_SIGNED)
        for name, fields in apt.each("sources", known, values.short_name):
            for key in _NOT_SIGNED:
                if fields.has(key):
                    action = "Sign the mirror with a key of yours, and name that: `signed_by`."
                    fields.wrong(key, "a source that nobody signed is not used", action)
            signed = fields.text("signed_by", self._file(values.openpgp_key), required="Name the mirror's OpenPGP key.")
            uris, suites = fields.texts("uris", values.url), fields.texts("suites", values.suite_name)
            for word, found in (("uris", uris), ("suites", suites)):
                if not found and not fields.has(word):
                    fields.wrong(None, f"`{word}` is missing", f"Write `{word}:`.")
            components = fields.texts("components", values.component_name)
            for suite in suites:
                if suite.endswith("/") == bool(components):
                    words = "ends with / and takes no `components`" if components else "needs `components`"
                    fields.wrong("suites", f"'{suite}' {words}", "Correct one; apt reads none of its sources else.")
            if signed and uris and suites:
                yield AptSource(
                    name=name,
                    uris=uris,
                    suites=suites,
                    components=components,
                    architectures=fields.texts("architectures", values.short_name) or ["arm64"],
                    key=signed,
                )

    def _registries(self) -> Iterator[Registry]:
        served: dict[str, str] = {}
        for host, fields in self._top.each("registries", ("ca", "mirror_of"), values.registry_name):
            mirror_of = fields.texts("mirror_of", values.registry_name)
            for name in mirror_of:
                if served.setdefault(name, host) != host:
                    fields.wrong("mirror_of", f"{served[name]} serves the images of {name} already", "Leave one.")
            yield Registry(host=host, ca=fields.text("ca", self._file(values.certificates)), mirror_of=mirror_of)

    def _files(self) -> Iterator[PlacedFile]:
        targets: list[str] = []
        for target, fields in self._top.each("files", ("from", "mode"), values.target_path):
            source = fields.text("from", self._placed, required="Name the file whose content it gets.")
            if any(other.startswith(f"{target}/") or target.startswith(f"{other}/") for other in targets):
                fields.wrong(None, "a file is named below this one, or this one below a file", "Name another place.")
            targets.append(target)
            mode = fields.text("mode", values.file_mode) or "0644"
            if source:
                yield PlacedFile(target=target, mode=mode, source=source)

    def _placed(self, text: str) -> Path:
        path = lexical(self._top.folder / text)
        if not path.is_file():
            raise ValueError("must be a file that is there")
        return path

    def _boot(self) -> BootSettings | None:
        fields = self._top.under("boot", ("url", "kernel", "initrd"))
        if not self._top.has("boot"):
            return None
        found = [
            fields.text("url", values.url, required="Write where seeds are served: `url: http://HOST/seeds`."),
            fields.text("kernel", values.boot_path, required="Write the kernel's path on the server."),
            fields.text("initrd", values.boot_path, required="Write the initrd's path on the server."),
        ]
        given = [value for value in found if value]
        return BootSettings(url=given[0].rstrip("/"), kernel=given[1], initrd=given[2]) if len(given) == 3 else None


_HASH_IT = (
    "Write `password_hash:` with what `mkpasswd --method=yescrypt` prints, and change a password that stood here."
)


def _banner(text: str) -> str:
    if len(text) > 4000 or not all(_PRINTABLE.fullmatch(line) for line in text.split("\n")):
        raise ValueError("must be at most 4,000 printable characters")
    return text
