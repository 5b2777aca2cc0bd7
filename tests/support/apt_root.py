"""A root of its own for the real apt-get and dpkg, and a repository that is made and signed for it."""

import hashlib
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from diag.nodekit.acting import ActingMachine
from diag.nodekit.command import ENVIRONMENT, Ran
from diag.nodekit.machine import MAX_FILE_BYTES

TOOLS = ("apt-get", "dpkg", "dpkg-deb", "dpkg-scanpackages", "gpg", "gpg-agent", "gpgconf", "gpgv")
OURS = ("/etc/apt", "/var/lib/dpkg", "/var/lib/apt")
CONFIGURATION = """\
Dir "{root}";
Dir::State::status "{root}/var/lib/dpkg/status";
Dir::Bin::dpkg "/usr/bin/dpkg";
Dir::Etc "etc/apt";
APT::Architecture "{architecture}";
APT::Sandbox::User "root";
Acquire::Languages "none";
DPkg::Options {{ "--root={root}"; "--force-not-root"; "--force-script-chrootless"; "--log={root}/dpkg.log"; }};
DPkg::Path "/usr/sbin:/usr/bin:/sbin:/bin";
"""


@dataclass
class Package:
    """A package that the repository holds."""

    name: str
    version: str
    more: dict[str, str] = field(default_factory=dict)


class AptRoot:
    """The root, its configuration, and its repository."""

    def __init__(self, folder: Path) -> None:
        self.root, self.repository, self._keys = folder / "root", folder / "repo", folder / "keys"
        for path in ("etc/apt/sources.list.d", "etc/apt/apt.conf.d", "etc/apt/preferences.d", "var/lib/dpkg/info",
                     "var/lib/dpkg/updates", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial",
                     "var/log/apt"):  # fmt: skip
            (self.root / path).mkdir(parents=True)
        (self.root / "var/lib/dpkg/status").touch()
        architecture = self._said("dpkg", "--print-architecture")
        self.configuration = folder / "apt.conf"
        self.configuration.write_text(CONFIGURATION.format(root=self.root, architecture=architecture))
        self._make_key()

    @staticmethod
    def missing() -> str:
        """The tools that are not there, with a blank between them."""
        return " ".join(tool for tool in TOOLS if not shutil.which(tool))

    def publish(self, *packages: Package) -> None:
        """Put packages into the repository, and sign it anew."""
        self.repository.mkdir(exist_ok=True)
        for package in packages:
            self._build(package)
        listed = self._said("dpkg-scanpackages", "--multiversion", ".", cwd=self.repository)
        (self.repository / "Packages").write_text(f"{listed}\n")
        self.sign()

    def sign(self) -> None:
        """Write a signed list of what the repository holds."""
        content = (self.repository / "Packages").read_bytes()
        now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S UTC")
        release = f"Origin: Test\nLabel: Test\nSuite: stable\nCodename: test\nDate: {now}\nSHA256:\n"
        release += f" {hashlib.sha256(content).hexdigest()} {len(content)} Packages\n"
        (self.repository / "Release").write_text(release)
        signed = self.repository / "InRelease"
        self._gpg("--clearsign", "--output", str(signed), str(self.repository / "Release"))

    def close(self) -> None:
        """End the agent that gpg started for its keys."""
        self._said("gpgconf", "--homedir", str(self._keys), "--kill", "gpg-agent")

    def use(self, *, options: str = "") -> None:
        """Take packages from the repository."""
        chosen = options or f"signed-by={self._keys}/public.gpg"
        source = f"deb [{chosen}] file:{self.repository} ./\n"
        (self.root / "etc/apt/sources.list.d/test.list").write_text(source)

    def run(self, *argv: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of apt or dpkg on the root."""
        environment = ENVIRONMENT | {
            "APT_CONFIG": str(self.configuration), "DPKG_ADMINDIR": str(self.root / "var/lib/dpkg"),
            "DEBIAN_FRONTEND": "noninteractive",
        }  # fmt: skip
        return subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, timeout=60)

    def _build(self, package: Package) -> None:
        place = self.repository / f"{package.name}_{package.version}"
        (place / "DEBIAN").mkdir(parents=True)
        doc = place / "usr/share" / package.name
        doc.mkdir(parents=True)
        (doc / "version").write_text(package.version)
        fields = {"Package": package.name, "Version": package.version, "Architecture": "all",
                  "Maintainer": "Test <test@example.net>", "Description": "test", **package.more}  # fmt: skip
        control = "".join(f"{key}: {value}\n" for key, value in fields.items())
        (place / "DEBIAN/control").write_text(control)
        self._said("dpkg-deb", "--root-owner-group", "--build", str(place), str(self.repository))
        shutil.rmtree(place)

    def _make_key(self) -> None:
        self._keys.mkdir(mode=0o700)
        self._gpg("--quick-generate-key", "Test <test@example.net>", "ed25519", "sign", "never")
        self._gpg("--output", str(self._keys / "public.gpg"), "--export")

    def _gpg(self, *words: str) -> None:
        alone = ("--homedir", str(self._keys), "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", "")
        self._said("gpg", *alone, *words)

    @staticmethod
    def _said(*argv: str, cwd: Path | None = None) -> str:
        ran = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=cwd)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()


class AptMachine(ActingMachine):
    """A machine whose packages are those of a root."""

    def __init__(self, apt: AptRoot) -> None:
        self._apt = apt
        super().__init__()

    def look(self, argv: tuple[str, ...], *, seconds: float = 5.0, limit: int = MAX_FILE_BYTES) -> Ran:
        """Run a command on the root."""
        ran = self._apt.run(*argv)
        return Ran(ran.returncode, ran.stdout[:limit], ran.stderr[:limit], truncated=False)

    def _locate(self, path: str, *, follow_last: bool = True) -> str:
        ours = path.startswith(OURS)
        return f"{self._apt.root}{path}" if ours else super()._locate(path, follow_last=follow_last)
