"""What tests of repacked installers share: one folder of seeds, one installer, and the command over them."""

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command import sparkctl
from tests.support.installers import PATH, make_installer
from tests.support.seeds import make_site, seed

TOOLS = ("xorriso", "mformat", "gpgv", "gpg", "grub-script-check")
MARKS = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(shutil.which(tool, path=PATH) for tool in TOOLS), reason="install what `make system` installs"
    ),
]


@dataclass(frozen=True)
class Desk:
    """A folder with `seeds` of two nodes, the key that signed them, and an installer."""

    folder: Path
    installer: Path

    @property
    def key(self) -> Path:
        """The public half of the key that signed the seeds."""
        return self.folder / "seed_key.pub"

    def iso(
        self, out: str, *more: str | Path, of: Path | None = None, path: str | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Make the ISO `out`, vouched for by its digest unless `more` says otherwise."""
        installer = of or self.installer
        named = [*map(str, more)]
        if not {"--sha256", "--sums", "--nothing"} & set(named):
            named += ["--sha256", sha256(installer)]
        for option, value in (("--seeds", self.folder / "seeds"), ("--key", self.key), ("--out", self.folder / out)):
            named += [] if option in named else [option, str(value)]
        given = [one for one in named if one != "--nothing"]
        return sparkctl("airgap", "iso", installer, *given, home=self.folder, PATH=path or f"{self.folder}/bin:{PATH}")

    def listing(self) -> set[str]:
        """What is in the folder now."""
        return set(os.listdir(self.folder))


def make_desk(folder: Path) -> Desk:
    """Make seeds and an installer in a folder that is not there yet."""
    make_site(folder)
    ran = seed(folder, "seeds", "--no-images")
    assert ran.returncode == 0, ran.stderr
    return Desk(folder, make_installer(folder / "installer"))


def sha256(path: Path) -> str:
    """The digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refused(ran: "subprocess.CompletedProcess[str]", code: int, words: str) -> None:
    """It ended with this code and one sentence that has these words, and a hint at most."""
    assert (ran.returncode, words in ran.stderr) == (code, True), (ran.returncode, ran.stderr)
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr
    assert len(ran.stderr.splitlines()) <= 2, ran.stderr
