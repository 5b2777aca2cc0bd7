"""Have aptly bring a flat archive, or a part of one, and sign it with a key of the site."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sparkctl.airgap.mirrors import openpgp
from sparkctl.airgap.mirrors.apt_index import MAX_INDEX, Release
from sparkctl.airgap.mirrors.apt_origin import Origin, origin
from sparkctl.airgap.mirrors.apt_proof import SIGNED, prove
from sparkctl.airgap.mirrors.kind import Fetched
from sparkctl.airgap.mirrors.tool import output, run, version
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.mirror_apt import FLAT, AptMirror, AptServed

FLAT_SUITE, FLAT_COMPONENT = "stable", "main"
"""What a flat archive becomes: aptly publishes only suites and components."""


def fetch(spec: AptMirror, work: Path, at: datetime) -> Fetched:
    """Bring it, publish it, and compare every package with what the owner signed, whose signature must hold at `at`.

    Raises UsageError, RefusedError for a signature that does not hold, OSError.
    """
    made_with = version(["aptly", "version"], package="aptly")
    key = _public_key(spec.sign_with or "")
    found = origin(spec, work)
    _require_valid(spec, found, at)
    desk = _Aptly(work, spec, max((MAX_INDEX, *(package.size for package in found.packages.values()))))
    desk.forget()
    served = AptServed(
        suites=[FLAT_SUITE] if spec.flat else spec.suites,
        components=[FLAT_COMPONENT] if spec.flat else spec.components,
        architectures=spec.architectures,
        key=key,
    )
    for suite, published in zip(spec.suites, served.suites, strict=True):
        desk.publish(suite, published, served.components, found.told[suite])
    signed_here = [f"dists/{suite}/{SIGNED}" for suite in served.suites]
    # What is published is dated by us: only by these is it known that the owner's archive does not go back.
    dated = {f"{suite} of the owner": moment for suite in spec.suites if (moment := found.told[suite].moment("date"))}
    return Fetched(desk.public, served, [made_with], _compared(spec, served, desk.public, found), signed_here, dated)


def _require_valid(spec: AptMirror, found: Origin, at: datetime) -> None:
    """Raise RefusedError where the owner's signature has ended: from ours, nobody could tell how old a state it is."""
    for suite, moment in found.valid_until.items():
        if moment <= at:
            raise RefusedError(
                f"{suite} of {spec.name} was signed until {moment:%Y-%m-%d %H:%M} UTC, and no longer",
                hint="somebody shows an old state of it, or the clock is wrong; name another mirror of the archive",
            )


class _Aptly:
    """One aptly with a folder and settings of its own, which writes no file of more than `largest` bytes."""

    def __init__(self, work: Path, spec: AptMirror, largest: int) -> None:
        self._spec, self._log, self._largest = spec, work / "aptly.log", largest
        self._log.unlink(missing_ok=True)
        self._root = root = work / "aptly"
        self.public = root / "public"
        self._keyring, self._settings = work / "keyring.gpg", work / "aptly.conf"
        self._keyring.write_bytes(openpgp.keyring(spec.key))
        settings = {
            "rootDir": str(root.absolute()), "architectures": spec.architectures, "gpgProvider": "gpg",
            "skipContentsPublishing": True, "downloadConcurrency": 4,
        }  # fmt: skip
        self._settings.write_text(json.dumps(settings), "utf-8")

    def forget(self) -> None:
        """Drop what an earlier run published and listed; packages stay in the pool, and are not fetched again."""
        for suite in self._listed("publish", "list", "-raw"):
            self._run("publish", "drop", suite.split()[-1])
        for kind in ("snapshot", "mirror"):
            for name in self._listed(kind, "list", "-raw"):
                self._run(kind, "drop", "-force", name)

    def publish(self, suite: str, published: str, components: Sequence[str], told: Release) -> None:
        """Bring a suite, and publish it under a name, as of the same origin and label: pins of clients go by these."""
        names = []
        for number, component in enumerate(components, 1):
            name = f"{len(suite)}-{suite.replace('/', '-')}-{number}"
            place = ["./"] if suite == FLAT else [suite, component]
            # With a flat archive aptly knows no architectures then, and follows no dependency: `_compared` tells.
            wanted = [f"-filter={self._filter()}", "-filter-with-deps"] if self._spec.packages else []
            keyring = f"-keyring={self._keyring}"
            self._run("mirror", "create", keyring, *wanted, name, f"{self._spec.uri.rstrip('/')}/", *place)
            self._run("mirror", "update", keyring, "-max-tries=3", name)
            self._run("snapshot", "create", name, "from", "mirror", name)
            names.append(name)
        self._run(
            "publish", "snapshot", "-batch", f"-gpg-key={self._spec.sign_with}", f"-distribution={published}",
            f"-origin={told.fields.get('origin', '')}", f"-label={told.fields.get('label', '')}",
            f"-component={','.join(components)}", f"-architectures={','.join(self._spec.architectures)}", *names,
        )  # fmt: skip

    def _filter(self) -> str:
        return " | ".join(f"Name (% {name})" for name in self._spec.packages)

    def _listed(self, *words: str) -> list[str]:
        status, said = output([*self._argv(), *words], package="aptly", limit=2**20)
        return said.decode("utf-8", "replace").splitlines() if status == 0 else []

    def _run(self, *words: str) -> None:
        ran = run([*self._argv(), *words], self._log, package="aptly", largest=self._largest)
        if ran.status != 0:
            raise UsageError(
                f"aptly did not {words[0]} {words[1]} {self._spec.name}: {ran.last_line}",
                hint=f"{self._log} has all that it said; run the same command again, and if that is of no use, remove"
                f" {self._root}: it is fetched again",
            )

    def _argv(self) -> list[str]:
        return ["aptly", f"-config={self._settings}"]


def _public_key(fingerprint: str) -> str:
    """The public half of the key to sign with, armoured; raises UsageError where it is not here."""
    status, key = output(["gpg", "--batch", "--export", fingerprint], package="gnupg", limit=openpgp.MAX_KEYRING)
    try:
        if status == 0 and key:
            return openpgp.armoured(key)
    except ValueError:
        pass
    raise UsageError(
        f"gpg has no key {fingerprint} to sign with", hint="make one with gpg --quick-generate-key, or set GNUPGHOME"
    )


def _compared(spec: AptMirror, served: AptServed, public: Path, found: Origin) -> list[str]:
    """What packages depend on and what was not taken; raises UsageError for one that the owner does not list."""
    known = {package.sha256 for package in found.packages.values()}
    taken = {file.sha256: file.path for file in prove(served, public).files if file.path.startswith("pool/")}
    for sha256, path in taken.items():
        if sha256 not in known:
            raise UsageError(
                f"{path} is not what {spec.name} has now", hint="did it change meanwhile? Run the same command again"
            )
    missing = found.missing(set(taken))
    return [f"{name}, on which a package depends: name it under `packages`" for name in missing]
