"""Hand on a part of a bundle: as it was signed, or redacted again for one recipient; never one that does not verify."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from sparkctl import __version__
from sparkctl.app.bundle_show import group_of
from sparkctl.app.leaving import leaving_in_order
from sparkctl.app.private_folder import private_folder
from sparkctl.app.redaction_again import RedactionAgain
from sparkctl.errors import RefusedError, UsageError
from sparkctl.evidence.reading import opened
from sparkctl.evidence.sealing import seal
from sparkctl.evidence.signers import signer_of
from sparkctl.evidence.subsets import subset
from sparkctl.evidence.trust import Trust
from sparkctl.evidence.verifying import Verified, verified, verify
from sparkctl.model.evidence import Entry
from sparkctl.model.printable import printable
from sparkctl.redaction.standins import KEY_BYTES


@dataclass(frozen=True, slots=True)
class Choice:
    """Which entries are handed on: those that a glob or a group names; all where nothing is named."""

    globs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def of(self, entries: Sequence[Entry]) -> list[Entry]:
        """The chosen ones in their order; raises UsageError for a glob or a group that names none."""
        named = [("--entry", glob, [each for each in entries if _is_named(glob, each.path)]) for glob in self.globs]
        named += [("--group", name, [each for each in entries if group_of(each) == name]) for name in self.groups]
        for option, words, found in named:
            if not found:
                groups = ", ".join(sorted({group_of(each) for each in entries}))
                raise UsageError(
                    f"{option} {printable(words)} names no entry", hint=f"the groups are: {printable(groups)}"
                )
        if not named:
            return list(entries)
        wanted = {each.path for _, _, found in named for each in found}
        return [each for each in entries if each.path in wanted]


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A bundle that was written for somebody: `source` as it was verified, entries and size of what was
    written, and what was replaced again."""

    source: Verified
    out: Path
    entries: int
    bytes: int
    replaced: int = 0
    withheld: tuple[str, ...] = ()


def disclose_verbatim(path: Path, trust: Trust | None, choice: Choice, out: Path) -> Disclosed:
    """Write the chosen entries with proofs that they are of the signed bundle.

    Raises UsageError for what is damaged or unsigned, RefusedError for a signature that is not trusted.
    """
    with opened(path) as bundle:
        found = verified(bundle, trust)
        wanted = {entry.path for entry in choice.of(bundle.entries())}
    subset(path, wanted, out)
    written = verify(out, trust)
    if written.merkle_root != found.merkle_root:
        out.unlink()
        raise RefusedError(f"{path} was replaced while it was read", hint="try again with a copy of your own")
    return Disclosed(found, out, written.entries, out.stat().st_size)


def disclose_again(
    path: Path, trust: Trust | None, choice: Choice, out: Path, *, recipient: str, key: Path | None
) -> Disclosed:
    """Redact the chosen entries under a fresh key, and seal them for one recipient, signed with `key` if there is one.

    Raises UsageError for what is damaged or cannot be written, RefusedError for a signature that is not trusted, or
    when a stand-in of the source would be handed on.
    """
    signer = signer_of(key) if key else None
    with leaving_in_order(), opened(path) as bundle, private_folder() as folder:
        found = verified(bundle, trust)
        chosen = choice.of(bundle.entries())
        bundle.extract(folder / "source")
        clean = folder / "clean"
        clean.mkdir(mode=0o700)
        about = found.about.model_copy(update={"tool": "sparkctl", "version": __version__})
        again = RedactionAgain(folder / "source", clean, bundle.entries(), about)
        again.redact(chosen, bundle.missing, recipient, found.withheld)
        again.require_fresh()
        salts = secrets.token_bytes(KEY_BYTES)
        sealed = seal(clean, again.facts, again.missing, again.about, out, salt_key=salts, signer=signer)
    return Disclosed(found, out, len(sealed.manifest.entries), sealed.bytes, again.replaced, again.withheld)


def _is_named(glob: str, path: str) -> bool:
    return fnmatchcase(path, glob) or fnmatchcase(path, f"artefacts/{glob}")
