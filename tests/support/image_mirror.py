"""A mirror of images in a folder: its mirror.yaml, its shelf, and what is done with it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner, Result

from sparkctl.airgap.mirrors.shelf import Shelf
from sparkctl.app.mirror_file import MirrorFile, mirror_file
from sparkctl.app.mirror_sync import Synced, sync
from sparkctl.cli.airgap_mirror_push import push
from tests.support.registries import Entry, Images, Registry

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Mirror:
    """A mirror.yaml with one mirror of images, and its shelf."""

    def __init__(self, folder: Path, internet: Registry) -> None:
        folder.mkdir(exist_ok=True)
        self.path, self._internet, self._now = folder / "mirror.yaml", internet, NOON

    def write(self, *names: str, name: str = "serving", **more: str) -> MirrorFile:
        keys = {"images": f"[{', '.join(f'{self._internet.host}/{name}' for name in names)}]",
                "ca": str(self._internet.authority.ca), **more}  # fmt: skip
        lines = "".join(f"    {key}: {value}\n" for key, value in keys.items())
        self.path.write_text(f"version: 1\nfolder: mirror\nimages:\n  {name}:\n{lines}")
        return mirror_file(self.path)

    @property
    def shelf(self) -> Shelf:
        return Shelf(mirror_file(self.path).folder)

    def sync(self, name: str = "serving") -> Synced:
        """Sync; every time a minute later."""
        self._now += timedelta(minutes=1)
        return sync(self.shelf, mirror_file(self.path).mirrors[name], self._now)

    def push(self, site: Registry, name: str = "serving", *more: str) -> Result:
        words = [
            str(self.path),
            name,
            "--registry",
            site.host,
            "--ca",
            str(site.authority.ca),
            "--format",
            "human",
            *more,
        ]
        return CliRunner().invoke(push, words, standalone_mode=False)


def arm_of(images: Images, root: Entry) -> Entry:
    found: Entry = next(one for one in images.read(root)["manifests"] if one["platform"]["architecture"] == "arm64")
    return found
