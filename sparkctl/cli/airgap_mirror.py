"""`sparkctl airgap mirror`: what is copied for a site without internet, proven, dated, and given to rings."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparkctl.cli.airgap_mirror_ca import mirror_ca
from sparkctl.cli.airgap_mirror_derive import derive
from sparkctl.cli.airgap_mirror_push import push
from sparkctl.cli.options import exit_of_problems, say, tell_problems, with_format, with_format_for_files

if TYPE_CHECKING:
    from sparkctl.errors import ExitCode, SparkctlError

_PATH = click.Path(path_type=Path)
_file = click.argument("file", type=_PATH)
_names = click.argument("names", nargs=-1, metavar="[NAME]...")


@click.group(short_help="Mirrors of packages, firmware, images, wheels, models: proven, dated, by rings.")
def mirror() -> None:
    """Mirror what a site without internet needs. FILE is a mirror.yaml, see `sparkctl help mirrors`.

    On the near side, which has a network: check, plan, sync, and `sparkctl airgap pack --mirrors FILE`. On the far
    side, which has none: take, promote, and nginx, client and push for what serves it. On either: list, verify, prune.
    """


@mirror.command(short_help="Find everything that is wrong with FILE.")
@_file
@with_format
def check(file: Path, form: str) -> "ExitCode":
    """Find everything that is wrong with FILE. Exit 2 when it cannot be used.

    Example: sparkctl airgap mirror check mirror.yaml
    """
    from sparkctl.app.mirror_file import examine

    problems = examine(file)[1]
    tell_problems(problems, form)
    return exit_of_problems(problems)


@mirror.command(short_help="Say what would be brought, and what would not be covered.")
@_file
@_names
@with_format
def plan(file: Path, names: tuple[str, ...], form: str) -> "ExitCode":
    """Say what the mirrors NAME would bring, by indexes that were verified, and what they would not cover.

    A mirror that cannot be planned does not stop the others: exit 4 where a signature does not hold, else 2.

    Example: sparkctl airgap mirror plan mirror.yaml ubuntu
    """
    from sparkctl.app.mirror_file import mirror_file
    from sparkctl.app.mirror_shelf import opened
    from sparkctl.errors import ExitCode, SparkctlError

    settings = mirror_file(file)
    total, at_least, worst = 0, False, ExitCode.OK
    with opened(settings) as shelf:
        for mirrored in settings.chosen(names):
            work = shelf.work(mirrored.name)
            work.mkdir(parents=True, exist_ok=True)
            try:
                planned = mirrored.kind.plan(mirrored.spec, work)
            except SparkctlError as error:
                _say_failed(form, mirrored.name, "NOT PLANNED", error)
                at_least, worst = True, max(worst, error.exit_code)
                continue
            total, at_least = total + (planned.bytes or 0), at_least or planned.bytes is None
            size = f"{planned.bytes:,} bytes" if planned.bytes is not None else "a size that its origin does not tell"
            words = f"{mirrored.name} ({mirrored.word}): {size}; {_counted(planned.counts)}"
            words += "".join(f"\n  NOT COVERED: {sentence}" for sentence in planned.not_covered)
            say(
                form, words, mirror=mirrored.name, kind=mirrored.word, bytes=planned.bytes, counts=planned.counts,
                not_covered=list(planned.not_covered),
            )  # fmt: skip
    for sentence in settings.not_covered:
        say(form, f"NOT COVERED: {sentence}", mirror=None, not_covered=[sentence])
    if form == "human":
        size = f"{'at least ' if at_least else ''}{total:,} bytes in all"
        click.echo(f"{size}; twice that on this disk while it is synced the first time")
    return worst


@mirror.command(short_help="Bring mirrors, prove every file, make dated snapshots.")
@_file
@_names
@with_format
def sync(file: Path, names: tuple[str, ...], form: str) -> "ExitCode":
    """Bring the mirrors NAME, prove every file, and put a dated snapshot of each on the shelf.

    A mirror that fails does not stop the others; what was killed goes on where it stopped. Exit 4 where a signature
    does not hold, and 2 where something else went wrong: no snapshot was made of that mirror then.

    Example: sparkctl airgap mirror sync mirror.yaml
    """
    from sparkctl.app.airgap_files import told, utc_now
    from sparkctl.app.mirror_file import mirror_file
    from sparkctl.app.mirror_shelf import opened
    from sparkctl.app.mirror_sync import sync as sync_it
    from sparkctl.errors import ExitCode, SparkctlError

    settings = mirror_file(file)
    worst = ExitCode.OK
    with opened(settings) as shelf:
        for mirrored in settings.chosen(names):
            if sys.stderr.isatty():
                work = shelf.work(mirrored.name)
                click.echo(f"{mirrored.name} ({mirrored.word}) ... what its tools say is in {work}", err=True)
            try:
                with told(settings.folder):
                    done = sync_it(shelf, mirrored, utc_now())
            except SparkctlError as error:
                _say_failed(form, mirrored.name, "NOT SYNCED", error)
                worst = max(worst, error.exit_code)
                continue
            made = done.snapshot
            words = f"{made.name}: " if done.fresh else f"{made.name} is still what there is: "
            words += f"{_counted(made.counts)}, {len(made.files):,} files, {made.bytes:,} bytes"
            words += _told(done.trust)
            words += "".join(f"\n  proven: {sentence}" for sentence in made.proven_by[:20])
            words += "".join(f"\n  left out: {sentence}" for sentence in made.left_out[:20])
            say(
                form, words, mirror=made.mirror, stamp=made.stamp, fresh=done.fresh, files=len(made.files),
                bytes=made.bytes, counts=made.counts, proven_by=made.proven_by, left_out=made.left_out,
                trust=list(done.trust), folder=str(done.folder),
            )  # fmt: skip
    return worst


@mirror.command(name="list")
@_file
@with_format
def list_(file: Path, form: str) -> None:
    """List snapshots, and the rings that have them.

    Example: sparkctl airgap mirror list mirror.yaml
    """
    from sparkctl.airgap.mirrors.shelf import Shelf
    from sparkctl.app.airgap_files import told
    from sparkctl.app.mirror_file import mirror_file
    from sparkctl.app.mirror_shelf import snapshot_of

    settings = mirror_file(file)
    shelf = Shelf(settings.folder)
    with told(settings.folder):
        rings = shelf.rings()
        found = [(name, stamp) for name in shelf.mirrors() for stamp in shelf.stamps(name)]
        if not found and form == "human":
            click.echo(f"there is no snapshot in {settings.folder}\n  → sync on the near side, take on the far side")
        for name, stamp in found:
            made = snapshot_of(shelf, name, stamp)
            having = [ring for ring in settings.rings if rings.get(ring, {}).get(name) == stamp]
            words = f"{made.name}  {made.served.kind}  {len(made.files):,} files  {made.bytes:,} bytes"
            words += f"  {', '.join(having)}" if having else ""
            words += f"  until {made.valid_until:%Y-%m-%d}" if made.valid_until else ""
            say(
                form, words, mirror=name, stamp=stamp, kind=made.served.kind, files=len(made.files), bytes=made.bytes,
                rings=having, valid_until=made.valid_until and made.valid_until.isoformat(),
            )  # fmt: skip
        gone = [
            (ring, name, stamp) for ring, has in rings.items() for name, stamp in has.items()
            if (name, stamp) not in found
        ]  # fmt: skip
    for ring, name, stamp in gone:
        say(form, f"the ring {ring} points to {name}/{stamp}, which is GONE", ring=ring, mirror=name, gone=stamp)


@mirror.command(short_help="Prove snapshots as they lie there.")
@_file
@_names
@with_format
def verify(file: Path, names: tuple[str, ...], form: str) -> "ExitCode":
    """Prove snapshots as they lie there: signatures, indexes, every file. NAME is MIRROR or MIRROR/STAMP, else all.

    One that does not hold does not stop the others: exit 4 where a signature does not, 2 where a file is damaged.

    Example: sparkctl airgap mirror verify mirror.yaml ubuntu
    """
    from sparkctl.app.airgap_files import told
    from sparkctl.app.mirror_file import mirror_file
    from sparkctl.app.mirror_shelf import named, opened, require_holds
    from sparkctl.errors import ExitCode, SparkctlError, UsageError

    settings = mirror_file(file)
    worst = ExitCode.OK
    with opened(settings) as shelf, told(settings.folder):
        wanted = names or tuple(f"{name}/{stamp}" for name in shelf.mirrors() for stamp in shelf.stamps(name))
        if not wanted:
            raise UsageError(f"there is no snapshot in {settings.folder}", hint="sync, or take one")
        for name in wanted:
            try:
                made = named(shelf, name)
                require_holds(shelf, made)
            except SparkctlError as error:
                _say_failed(form, name, "NOT PROVEN", error, holds=False)
                worst = max(worst, error.exit_code)
                continue
            say(form, f"{made.name} holds: {len(made.files):,} files", mirror=made.mirror, stamp=made.stamp, holds=True)
    return worst


@mirror.command(short_help="Far side: take the snapshots that a bundle brought.")
@_file
@click.argument("tree", type=_PATH)
@with_format
def take(file: Path, tree: Path, form: str) -> None:
    """On the far side, take the snapshots that a bundle brought: TREE is `current` of the stream it was applied to.

    Example: sparkctl airgap mirror take mirror.yaml /srv/streams/mirror/current
    """
    from sparkctl.app.airgap_files import told, utc_now
    from sparkctl.app.mirror_file import mirror_file
    from sparkctl.app.mirror_shelf import opened
    from sparkctl.app.mirror_take import take as take_them

    settings = mirror_file(file)
    words = {"taken": "taken, and proven", "there": "was here already", "older": "not taken: older than what is here"}
    with opened(settings) as shelf, told(settings.folder):
        for done in take_them(shelf, tree, utc_now()):
            made = done.snapshot
            sentence = f"{made.name}: {words[done.outcome]}; {len(made.files):,} files{_told(done.trust)}"
            say(
                form, sentence, mirror=made.mirror, stamp=made.stamp, outcome=done.outcome, files=len(made.files),
                trust=list(done.trust),
            )  # fmt: skip


@mirror.command(short_help="Give the clients of a ring a snapshot.")
@_file
@click.argument("name")
@click.option("--ring", required=True, metavar="RING", help="The ring whose clients get it.")
@click.option("--reason", metavar="WORDS", help="Go past the order of rings and the soak; kept with your name.")
@click.option("--new-trust", is_flag=True, help="Take it though other keys vouch for it; needs a --reason.")
@with_format
def promote(file: Path, name: str, ring: str, reason: str | None, new_trust: bool, form: str) -> None:
    """Give the clients of a ring the snapshot NAME, which is MIRROR/STAMP, or the newest of MIRROR; proven before.

    A ring gets what the ring before it has had for the soak, and what the same keys vouch for as for what it has. Exit
    4 otherwise.

    Example: sparkctl airgap mirror promote mirror.yaml ubuntu/20261130T070000Z --ring canary
    """
    from sparkctl.app.actor import actor
    from sparkctl.app.airgap_files import told, utc_now
    from sparkctl.app.mirror_file import mirror_file
    from sparkctl.app.mirror_promote import lasting
    from sparkctl.app.mirror_promote import promote as promote_it
    from sparkctl.app.mirror_shelf import named, opened

    if new_trust and reason is None:
        raise click.UsageError("--new-trust needs a --reason: how were these keys compared?")
    settings = mirror_file(file)
    kept = None if reason is None else lasting(reason)
    with opened(settings) as shelf, told(settings.folder):
        made = named(shelf, name)
        turn = promote_it(
            settings, shelf, made, ring, by=actor(), now=utc_now(), reason=kept, new_trust=new_trust
        )  # fmt: skip
    words = f"the clients of {ring} get {made.name}"
    words += " already" if turn is None else f" instead of {turn.instead_of}" if turn.instead_of else " from now on"
    say(form, words, ring=ring, mirror=made.mirror, stamp=made.stamp, turned=turn is not None)


@mirror.command(short_help="Write the files that a client of a ring needs.")
@_file
@click.option("--ring", required=True, metavar="RING", help="The ring that the clients are in.")
@click.option("--out", type=_PATH, required=True, metavar="DIR", help="A folder that is not there yet.")
@with_format
def client(file: Path, ring: str, out: Path, form: str) -> None:
    """Write what a client of a ring needs, as a tree of files below DIR: sources with their keys, pins, indexes.

    Example: sparkctl airgap mirror client mirror.yaml --ring fleet --out client/
    """
    from sparkctl.airgap.mirrors.shelf import Shelf
    from sparkctl.app.airgap_files import told
    from sparkctl.app.mirror_file import mirror_file
    from sparkctl.app.mirror_serve import client_of, written

    settings = mirror_file(file)
    with told(out):
        made = client_of(settings, Shelf(settings.folder), ring)
        written(made.files, out)
    files, unproven = sorted(made.files), list(made.unproven)
    words = f"{len(files):,} files for a client of {ring}: copy what is in {out} to /"
    words += "".join(f"\n  /{path}" for path in files)
    if unproven:
        words += (
            f"\n  NOT PROVEN ON THE WAY: clients of {', '.join(unproven)} believe whoever answers at {settings.url}"
        )
        words += "\n  → serve mirrors of wheels and models by https"
    say(form, words, folder=str(out), files=files, unproven=unproven)


@mirror.command(short_help="Print a server block of nginx for all rings.")
@_file
@click.option("--listen", multiple=True, metavar="ADDRESS", help="Where to listen, as nginx has it [the url's port].")
@click.option("--certificate", type=_PATH, help="The certificate of the server, where it lies there.")
@click.option("--certificate-key", type=_PATH, help="The key of that.")
@with_format_for_files
def nginx(
    file: Path, listen: tuple[str, ...], certificate: Path | None, certificate_key: Path | None, form: str
) -> None:
    """Print a server block of nginx that serves all rings at the `url` of FILE.

    Example: sparkctl airgap mirror nginx mirror.yaml > /etc/nginx/conf.d/mirrors.conf
    """
    from sparkctl.app.mirror_file import mirror_file
    from sparkctl.app.mirror_serve import Tls
    from sparkctl.app.mirror_serve import nginx as block

    if (certificate is None) != (certificate_key is None):
        raise click.UsageError("name --certificate and --certificate-key together")
    tls = Tls(certificate, certificate_key) if certificate and certificate_key else None
    text = block(mirror_file(file), listen, tls)
    say(form, text.rstrip("\n"), nginx=text)


@mirror.command(short_help="Remove old snapshots that no ring has.")
@_file
@click.option("--keep", type=click.IntRange(1, 1000), default=3, show_default=True, help="Newest of each to keep.")
@with_format
def prune(file: Path, keep: int, form: str) -> None:
    """Remove snapshots that no ring points to, but for the newest of each mirror.

    Example: sparkctl airgap mirror prune mirror.yaml --keep 5
    """
    from sparkctl.app.airgap_files import told
    from sparkctl.app.mirror_file import mirror_file
    from sparkctl.app.mirror_prune import prune as prune_them
    from sparkctl.app.mirror_shelf import opened

    settings = mirror_file(file)
    with opened(settings) as shelf, told(settings.folder):
        gone = prune_them(shelf, keep)
    say(form, "".join(f"removed {name}\n" for name in gone).rstrip() or "nothing to remove", removed=gone)


def _say_failed(form: str, name: str, what: str, error: "SparkctlError", **more: bool) -> None:
    """Tell what came of a mirror, or of MIRROR/STAMP, that does not stop the others."""
    words = f"{name}: {what}: {error}" + (f"\n  → {error.hint}" if error.hint else "")
    mirror, _, stamp = name.partition("/")
    fields = {"mirror": mirror, **({"stamp": stamp} if stamp else {}), **more}
    say(form, words, **fields, error=str(error), hint=error.hint, exit_code=error.exit_code)


def _told(trust: "Sequence[str]") -> str:
    return "".join(f"\n  OTHER KEYS: it is {sentence}" for sentence in trust)


def _counted(counts: "Mapping[str, int]") -> str:
    return ", ".join(f"{what}: {count:,}" for what, count in counts.items()) or "nothing counted"


for command in (derive, push, mirror_ca):
    mirror.add_command(command)
