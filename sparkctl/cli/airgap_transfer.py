"""`sparkctl airgap pack`, `verify`, `apply`, and what goes with them: transfer bundles on media."""

import re
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from sparkctl.cli.options import exit_of_problems, say, tell_problems, with_format, with_state

if TYPE_CHECKING:
    from sparkctl.app.airgap_files import Desk
    from sparkctl.app.airgap_site import TransferSite
    from sparkctl.errors import ExitCode
    from sparkctl.model.transfer import HaveList

_PATH = click.Path(path_type=Path)
_site = click.option(
    "--site", "rules", type=_PATH, required=True, metavar="FILE", help="Whom this site trusts, and what scans."
)


def _size(context: click.Context, option: click.Parameter, value: str) -> int:
    """A size of a part such as `4G`, in bytes: at least 1 MiB, so that it holds something."""
    match = re.fullmatch(r"([1-9][0-9]{0,5})([MG])", value)
    if match is None:
        raise click.BadParameter(f"{value!r} is not a size: write 700M or 4G", context, option)
    return min(int(match[1]) * {"M": 2**20, "G": 2**30}[match[2]], 2**40)


def _name(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """The name of a stream."""
    if value is not None and not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", value):
        words = "is no name of a stream: lower-case letters, digits and `-`, at most 40"
        raise click.BadParameter(f"{value!r} {words}", context, option)
    return value


def _desk(state: Path | None) -> "Desk":
    from sparkctl.app.airgap_files import Desk
    from sparkctl.app.places import places

    return Desk(places(None, state).state)


def _rules(path: Path) -> "TransferSite":
    from sparkctl.app.airgap_site import transfer_site

    return transfer_site(path)


@click.command()
@click.argument("folder", type=_PATH, required=False)
@click.option(
    "--stream",
    metavar="NAME",
    callback=_name,
    help="The stream that it belongs to [sparkctl with --self, mirror with --mirrors].",
)
@click.option("--out", type=_PATH, required=True, metavar="DIR", help="Where the folder of the bundle is made.")
@click.option("--key", "keys", type=_PATH, multiple=True, help="Sign with this OpenSSH key; may be repeated.")
@click.option("--have", type=_PATH, metavar="FILE", help="Leave out what the far side says in FILE that it has.")
@click.option("--delta", is_flag=True, help="Leave out what the last receipt says that the far side has.")
@click.option("--part-size", metavar="SIZE", callback=_size, default="4G", show_default=True, help="No part is larger.")
@click.option("--sequence", type=click.IntRange(1, 99_999_999), help="Its number in the stream [the next one].")
@click.option("--self", "itself", is_flag=True, help="Pack sparkctl itself, with the wheels in --wheelhouse.")
@click.option("--wheelhouse", type=_PATH, metavar="DIR", help="The wheels that `make airgap` gathered.")
@click.option("--mirrors", type=_PATH, metavar="FILE", help="Pack the newest snapshot of each mirror of a mirror.yaml.")
@click.option("--ring", metavar="RING", help="With --mirrors: the snapshots that this ring has.")
@with_state
@with_format
def pack(
    folder: Path | None,
    stream: str | None,
    out: Path,
    keys: tuple[Path, ...],
    have: Path | None,
    delta: bool,
    part_size: int,
    sequence: int | None,
    itself: bool,
    wheelhouse: Path | None,
    mirrors: Path | None,
    ring: str | None,
    state: Path | None,
    form: str,
) -> None:
    """Pack the files of FOLDER for the far side: each content once, in parts that a medium holds, signed.

    A pack that was killed goes on where it stopped when the same command is given again. Sign it with `--key`, or have
    it signed later by several people with `sparkctl airgap sign`.

    \b
    Example:
      sparkctl airgap pack mirror/ --stream mirror --out out/ --part-size 4G --key ~/.ssh/id_ed25519
      sparkctl airgap pack mirror/ --stream mirror --out out/ --have have.json
      sparkctl airgap pack --self --wheelhouse dist/airgap --out out/
      sparkctl airgap pack --mirrors mirror.yaml --delta --out out/
    """
    from sparkctl.app.actor import actor
    from sparkctl.app.airgap_files import utc_now
    from sparkctl.app.airgap_pack import Wanted
    from sparkctl.app.airgap_pack import pack as pack_them

    if ring and not mirrors:
        raise click.UsageError("--ring chooses among --mirrors: name that file")
    if stream is None and not itself and mirrors is None:
        raise click.UsageError("name the --stream")
    if mirrors and (folder or itself or wheelhouse):
        raise click.UsageError("name one of FOLDER, --self with --wheelhouse, and --mirrors")
    if have and delta:
        raise click.UsageError("name one of --have and --delta")
    desk, name = _desk(state), stream or ("sparkctl" if itself else "mirror")
    files = _mirrored(mirrors, ring) if mirrors else _files(folder, wheelhouse, out, itself=itself)
    known = _known(desk, name, have, delta=delta)
    made = pack_them(desk, Wanted(name, files, out, part_size, known, sequence, keys, actor()), utc_now())
    manifest = made.manifest
    words = f"{made.folder}: {len(manifest.files):,} files, {len(manifest.carried):,} contents carried in"
    words += f" {len(manifest.parts):,} parts, {made.bytes:,} bytes"
    words += f"\n  {made.resumed_parts:,} parts were there from a pack that did not end" if made.resumed_parts else ""
    words += "" if keys else f"\n  nobody signed it yet\n  → sparkctl airgap sign {quote(str(made.folder))} --key KEY"
    say(
        form, words, folder=str(made.folder), stream=manifest.stream, sequence=manifest.sequence,
        files=len(manifest.files), carried=len(manifest.carried), parts=len(manifest.parts), bytes=made.bytes,
        resumed_parts=made.resumed_parts, signatures=len(keys),
    )  # fmt: skip


def _files(folder: Path | None, wheelhouse: Path | None, out: Path, *, itself: bool) -> "dict[str, Path]":
    """What is to be packed; a usage error unless exactly one thing is named."""
    if itself and wheelhouse is not None and folder is None:
        from sparkctl.app.airgap_self import self_files

        return self_files(wheelhouse)
    if itself or wheelhouse is not None or folder is None:
        raise click.UsageError("name one of FOLDER, --self with --wheelhouse, and --mirrors")
    from sparkctl.app.airgap_pack import folder_files

    return folder_files(folder, out)


def _mirrored(mirrors: Path, ring: str | None) -> "dict[str, Path]":
    """The files of snapshots: the newest of each mirror, or those that a ring has."""
    from sparkctl.app.mirror_file import mirror_file
    from sparkctl.app.mirror_shelf import files_to_pack, opened

    with opened(mirror_file(mirrors)) as shelf:
        return files_to_pack(shelf, ring)


def _known(desk: "Desk", stream: str, have: Path | None, *, delta: bool) -> "HaveList | None":
    from sparkctl.app.airgap_pack import have_list

    return have_list(desk, stream, have) if have or delta else None


@click.command()
@click.argument("bundle", type=_PATH)
@click.option("--key", type=_PATH, required=True, help="The OpenSSH key to sign with.")
@with_format
def sign(bundle: Path, key: Path, form: str) -> None:
    """Sign the bundle in the folder BUNDLE with one more key: its digests, in the namespace `spark-transfer`.

    Example: sparkctl airgap sign out/mirror-00000001 --key ~/.ssh/id_ed25519
    """
    from sparkctl.app.airgap_signatures import sign_bundle

    made = sign_bundle(bundle, key)
    say(form, f"signed: {made}", signature=str(made))


@click.command()
@click.argument("media", type=_PATH, nargs=-1, required=True)
@_site
@click.option("--into", type=_PATH, metavar="DIR", help="Unpack it into quarantine, and scan it there.")
@with_state
@with_format
def verify(media: tuple[Path, ...], rules: Path, into: Path | None, state: Path | None, form: str) -> None:
    """Check a bundle that lies in the folders MEDIA: people, digests, order; with --into, take it into quarantine.

    What is unpacked is scanned at once when the rules of the site name a scan. With parts on several media, name
    what is there; what was read is kept in quarantine, and the same command takes the next medium.

    \b
    Example:
      sparkctl airgap verify /media/usb/mirror-00000001 --site airgap.yaml --into quarantine/
    """
    from sparkctl.app.airgap_quarantine import scan as scan_it
    from sparkctl.app.airgap_quarantine import verify as check_it

    site, desk = _rules(rules), _desk(state)
    done = check_it(desk, site, media, into)
    manifest = done.bundle.manifest
    status = None
    if done.folder is not None and site.scan is not None:
        status = scan_it(desk, site, done.folder)[1].exit_status
    words = f"{manifest.name} holds: {len(manifest.files):,} files, {len(manifest.carried):,} contents carried, signed"
    words += f" by {', '.join(done.bundle.signed_by)}"
    if done.folder is not None:
        words += f"\n  it lies in {done.folder}"
        step = "apply" if status == 0 else "scan"
        words += ", and its scan found nothing" if status == 0 else ", and is not scanned yet"
        words += f"\n  → sparkctl airgap {step} {quote(str(done.folder))} --site {quote(str(rules))}"
        words += " --to DIR" if status == 0 else ""
    say(
        form, words, stream=manifest.stream, sequence=manifest.sequence, signed_by=done.bundle.signed_by,
        files=len(manifest.files), carried=len(manifest.carried), folder=done.folder and str(done.folder),
        scan_exit_status=status,
    )  # fmt: skip


@click.command()
@click.argument("bundle", type=_PATH)
@_site
@with_state
@with_format
def scan(bundle: Path, rules: Path, state: Path | None, form: str) -> None:
    """Run the scan of the site over BUNDLE, which lies in quarantine. Exit 4 unless it ends with 0.

    Example: sparkctl airgap scan quarantine/mirror-00000001 --site airgap.yaml
    """
    from sparkctl.app.airgap_quarantine import scan as scan_it

    found, record = scan_it(_desk(state), _rules(rules), bundle)
    words = f"{found.manifest.name}: the scan found nothing"
    words += f"\n  → sparkctl airgap apply {quote(str(bundle))} --site {quote(str(rules))} --to DIR"
    say(form, words, stream=found.manifest.stream, sequence=found.manifest.sequence, exit_status=record.exit_status)


@click.command()
@click.argument("bundle", type=_PATH)
@_site
@click.option("--to", type=_PATH, required=True, metavar="DIR", help="The folder of this stream here.")
@click.option("--receipt", type=_PATH, metavar="FILE", help="Write a receipt for the near side.")
@click.option("--key", type=_PATH, help="Sign the receipt with this OpenSSH key.")
@click.option("--keep", type=click.IntRange(1, 100), default=2, show_default=True, help="Trees to keep.")
@with_state
@with_format
def apply(
    bundle: Path,
    rules: Path,
    to: Path,
    receipt: Path | None,
    key: Path | None,
    keep: int,
    state: Path | None,
    form: str,
) -> None:
    """Apply BUNDLE, which was verified into quarantine and scanned: DIR/current is the new tree, or the old one.

    Exit 4 when it was not scanned, is not newer than what is here, or leaves out what is not here.

    \b
    Example:
      sparkctl airgap apply quarantine/mirror-00000001 --site airgap.yaml --to /srv/mirror \\
        --receipt receipt.json --key ~/.ssh/id_ed25519
    """
    from sparkctl.app.actor import actor
    from sparkctl.app.airgap_apply import Wished
    from sparkctl.app.airgap_apply import apply as apply_it
    from sparkctl.app.airgap_files import utc_now

    if (receipt is None) != (key is None):
        raise click.UsageError("name --receipt and --key together: an unsigned receipt proves nothing")
    done = apply_it(_desk(state), _rules(rules), bundle, Wished(to, actor(), keep, receipt, key), utc_now())
    made = done.receipt
    words = f"applied sequence {made.sequence} of {made.stream}: {made.files:,} files, {made.bytes:,} bytes"
    words += f"\n  {to / 'current'} is {done.tree}"
    words += f"\n  carry {receipt} and {receipt}.sig back" if receipt else ""
    say(
        form, words, stream=made.stream, sequence=made.sequence, files=made.files, bytes=made.bytes,
        tree=str(done.tree), receipt=receipt and str(receipt),
    )  # fmt: skip


@click.command()
@click.option("--from", "folder", type=_PATH, required=True, metavar="DIR", help="The folder of the stream here.")
@click.option("--stream", metavar="NAME", callback=_name, required=True, help="The name of the stream.")
@click.option("--out", type=_PATH, required=True, metavar="FILE", help="The list to write.")
@with_format
def have(folder: Path, stream: str, out: Path, form: str) -> None:
    """Write which contents of a stream are here, each read and hashed, so that the near side leaves them out.

    Example: sparkctl airgap have --from /srv/mirror --stream mirror --out have.json
    """
    from sparkctl.app.airgap_apply import list_have
    from sparkctl.app.airgap_files import utc_now, write_document

    found, damaged = list_have(folder, stream, utc_now())
    write_document(found, out)
    words = f"{out}: {len(found.blobs):,} contents of {stream}, which is at sequence {found.sequence}"
    words += f"\n  {damaged:,} contents are damaged and not in it: the next bundle brings them" if damaged else ""
    say(form, words, stream=stream, sequence=found.sequence, contents=len(found.blobs), damaged=damaged, file=str(out))


@click.command()
@click.argument("file", type=_PATH)
@click.option("--allowed-signers", type=_PATH, required=True, metavar="FILE", help="Who may sign receipts.")
@with_state
@with_format
def receipt(file: Path, allowed_signers: Path, state: Path | None, form: str) -> None:
    """Check a receipt FILE of the far side, and note what it has, for `pack --delta`. FILE.sig lies beside it.

    Example: sparkctl airgap receipt receipt.json --allowed-signers far.signers
    """
    from sparkctl.app.airgap_receipt import take_receipt

    done = take_receipt(_desk(state), file, allowed_signers)
    made = done.receipt
    words = f"sequence {made.sequence} of {made.stream} was applied on {made.applied_at:%Y-%m-%d %H:%M} UTC by"
    words += f" {made.applied_by}; {done.signed_by} signed this"
    words += f"\n  the far side has {len(done.have.blobs):,} contents: `pack --delta` leaves them out"
    say(
        form, words, stream=made.stream, sequence=made.sequence, applied_at=made.applied_at, applied_by=made.applied_by,
        signed_by=done.signed_by, contents=len(done.have.blobs),
    )  # fmt: skip


@click.command()
@click.argument("file", type=_PATH)
@with_format
def check(file: Path, form: str) -> "ExitCode":
    """Find everything that is wrong with FILE, the rules of a site. Exit 2 when it cannot be used.

    Example: sparkctl airgap check airgap.yaml
    """
    from sparkctl.app.airgap_site import examine

    problems = examine(file)[1]
    tell_problems(problems, form)
    return exit_of_problems(problems)


TRANSFER_COMMANDS = (pack, sign, verify, scan, apply, have, receipt, check)
"""What one does with bundles, in the order in which one does it."""
