"""`sparkctl airgap mirror push`: images of a snapshot into the registry of a site."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparkctl.cli.options import say, with_format

if TYPE_CHECKING:
    from sparkctl.airgap.mirrors.images_push import Landed
    from sparkctl.errors import ExitCode

_PATH = click.Path(path_type=Path)


@click.command(short_help="Far side: push images of a snapshot to the site's registry.")
@click.argument("file", type=_PATH)
@click.argument("name")
@click.option("--ring", metavar="RING", help="Push what this ring has of the mirror NAME.")
@click.option("--registry", metavar="HOST:PORT", help="The registry of the site [what the snapshot says].")
@click.option("--ca", type=_PATH, metavar="FILE", help="Its CA, in PEM [what the snapshot says].")
@click.option("--authfile", type=_PATH, metavar="FILE", help="Logins for it [those of `skopeo login`].")
@with_format
def push(
    file: Path, name: str, ring: str | None, registry: str | None, ca: Path | None, authfile: Path | None, form: str
) -> "ExitCode":
    """On the far side, push the images of the snapshot NAME, MIRROR/STAMP or the newest of MIRROR, to a registry.

    All of it is proven before, and every manifest is read back. Tags are turned when everything is there. Exit 1 where
    a tag was not, since it has images for several platforms and the registry takes no index without all others.

    \b
    Example:
      sparkctl airgap mirror push mirror.yaml serving --ring fleet --registry registry.lab:5000
    """
    from sparkctl.app.airgap_files import told
    from sparkctl.app.mirror_file import mirror_file
    from sparkctl.app.mirror_push import chosen, target
    from sparkctl.app.mirror_push import push as push_it
    from sparkctl.app.mirror_shelf import opened
    from sparkctl.errors import ExitCode

    settings = mirror_file(file)
    with opened(settings) as shelf, told(settings.folder):
        snapshot = chosen(settings, shelf, name, ring)
        landed = push_it(shelf, snapshot, target(snapshot, registry, ca, authfile))
    for one in landed:
        say(
            form, _words(one), snapshot=snapshot.name, image=one.image.name.text, repository=one.repository,
            fresh=one.fresh, digests=one.digests, tagged=one.tagged, moved_from=one.moved_from,
            index_refused=one.index_refused,
        )  # fmt: skip
    return ExitCode.OK if all(one.tagged or not one.image.name.tag for one in landed) else ExitCode.FINDINGS


def _words(one: "Landed") -> str:
    words = f"{one.image.name.text}: " + (f"{one.fresh:,} manifests pushed" if one.fresh else "all of it was there")
    words += "".join(f"\n  {one.repository}@{digest}" for digest in one.digests)
    if one.tagged:
        words += f"\n  {one.repository}:{one.image.name.tag} is {one.tagged}"
        words += f", and was {one.moved_from}" if one.moved_from else ""
    elif one.image.name.tag:
        words += f"\n  NOT TAGGED {one.image.name.tag}: mirror one platform of it, or `platforms: all`"
    if one.index_refused:
        words += (
            f"\n  its index {one.image.digest} is NOT THERE: the registry took none that names manifests it lacks;"
            f" skopeo said: {one.index_refused}"
        )
    return words
