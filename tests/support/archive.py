"""A signed archive of arm64 packages, made by dpkg-deb, apt-ftparchive and gpg as owners of archives make theirs."""

import gzip
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

TOOLS = ("dpkg-deb", "apt-ftparchive", "gpg", "gpgconf", "gpgv", "xz")


class GpgHome:
    """Somebody's keys of OpenPGP, without a passphrase."""

    def __init__(self) -> None:
        # The path of a socket has 107 bytes at most (unix(7)), and that of a test's own folder may be longer.
        self.folder = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))

    def make(self, who: str, *, expires: str = "never") -> str:
        """Make a key; its fingerprint."""
        self.gpg("--quick-generate-key", f"{who} <{who}@example.net>", "ed25519", "sign", expires)
        listed = self.gpg("--list-secret-keys", "--with-colons", f"{who}@example.net")
        return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))

    def public(self, who: str, target: Path) -> Path:
        """The armoured public key in a file."""
        target.write_text(self.gpg("--armor", "--export", f"{who}@example.net"))
        return target

    def gpg(self, *words: str) -> str:
        alone = ("--homedir", str(self.folder), "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", "")
        return said("gpg", *alone, *words)

    def close(self) -> None:
        """End the agent that gpg started, and forget the keys."""
        remove_gpg_home(self.folder)


def remove_gpg_home(folder: Path) -> None:
    """Remove a home of gpg and its agent, which as it ends removes its sockets at the same moment."""
    said("gpgconf", "--homedir", str(folder), "--kill", "all")
    for _ in range(600):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.05)
    raise AssertionError(f"{folder} is still there")


class Archive:
    """An archive in a folder; what changes in it is signed when `sign` is called."""

    def __init__(self, folder: Path, keys: GpgHome, signer: str) -> None:
        self.folder, self._keys, self.signer = folder, keys, signer

    @staticmethod
    def missing() -> str:
        """The tools that are not there, with a blank between them."""
        return " ".join(tool for tool in TOOLS if not shutil.which(tool))

    def add(
        self, name: str, version: str, *, component: str = "main", architecture: str = "arm64", **fields: str
    ) -> Path:
        """Put a package into the pool; where it lies."""
        pool = self.folder / "pool" / component / name[0] / name
        pool.mkdir(parents=True, exist_ok=True)
        return build_package(pool, name, version, architecture, **fields)

    def sign(self, suite: str = "noble", components: tuple[str, ...] = ("main",), **release: str) -> None:
        """Write the indexes of a suite, which has all that is in the pool, and sign them."""
        dists = self.folder / "dists" / suite
        for component in components:
            (self.folder / "pool" / component).mkdir(parents=True, exist_ok=True)
            for architecture in ("arm64", "amd64"):
                index = dists / component / f"binary-{architecture}"
                index.mkdir(parents=True, exist_ok=True)
                listed = said(
                    "apt-ftparchive", "--arch", architecture, "packages", f"pool/{component}", cwd=self.folder
                )
                _write_index(index / "Packages", listed)
        told = {"Origin": "Ubuntu", "Label": "Test", "Suite": suite, "Codename": "noble",
                "Architectures": "amd64 arm64", "Components": " ".join(components), **release}  # fmt: skip
        self._release(dists, told)

    def sign_flat(self) -> None:
        """Write the index of a flat archive, all packages of which lie beside it, and sign it."""
        listed = said("apt-ftparchive", "packages", ".", cwd=self.folder)
        _write_index(self.folder / "Packages", listed)
        self._release(self.folder, {"Origin": "Test", "Label": "Flat"})

    def _release(self, place: Path, fields: Mapping[str, str]) -> None:
        for name in ("Release", "InRelease", "Release.gpg"):
            (place / name).unlink(missing_ok=True)
        options = [f"-oAPT::FTPArchive::Release::{key.replace('_', '-')}={value}" for key, value in fields.items()]
        text = said("apt-ftparchive", *options, "release", ".", cwd=place) + "\n"
        if "Valid_Until" in fields:
            text = f"Valid-Until: {fields['Valid_Until']}\n{text}"
        (place / "Release").write_text(text)
        self.resign(place)

    def resign(self, place: Path) -> None:
        """Sign a Release file as it stands."""
        by = ("--local-user", f"{self.signer}@example.net")
        self._keys.gpg(*by, "--clearsign", "--output", str(place / "InRelease"), str(place / "Release"))
        self._keys.gpg(*by, "--armor", "--detach-sign", "--output", str(place / "Release.gpg"), str(place / "Release"))


def build_package(folder: Path, name: str, version: str, architecture: str = "arm64", **fields: str) -> Path:
    """A small package; underscores in the names of fields stand for hyphens."""
    place = folder / f".{name}"
    (place / "DEBIAN").mkdir(parents=True)
    doc = place / "usr/share" / name
    doc.mkdir(parents=True)
    (doc / "version").write_text(f"{name} {version}\n")
    control = {"Package": name, "Version": version, "Architecture": architecture, "Section": "misc",
               "Priority": "optional",
               "Maintainer": "Test <test@example.net>", "Description": "test",
               **{key.replace("_", "-"): value for key, value in fields.items()}}  # fmt: skip
    (place / "DEBIAN/control").write_text("".join(f"{key}: {value}\n" for key, value in control.items()))
    target = folder / f"{name}_{version}_{architecture}.deb"
    said("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(place), str(target))
    shutil.rmtree(place)
    return target


def _write_index(path: Path, text: str) -> None:
    path.write_text(text + "\n" if text else "")
    path.with_name("Packages.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    said("xz", "--keep", "--force", str(path))


def said(*argv: str, cwd: Path | None = None) -> str:
    """What a tool printed; the test fails when it does."""
    ran = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=cwd)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()
