"""Which DGX OS release a node is on, and whether it is torn between two: a verdict over the ota facet, off the node.

The form of the recipes was published from nvidia-spark-ota-check 1.0.16-1, with eleven recipes (2026); its scoring was
described with it. Kept from there: the weights of packages (0.40), firmware (0.35) and software (0.25); that a package
speaks for a recipe only below the version that a later recipe raises it to; that firmware must be the very version;
`required` components; and that a recipe with `beta` in its name is a pre-release. Different here, on purpose:

- What cannot be verified counts neither for nor against: the vendor's checker fails it. Without the firmware versions,
  which need root, packages alone make a node look newer than it is, so such a match is not `proven`.
- Firmware that is newer than a recipe wants is verified for it, though it does not speak for it.
- A recipe of an unknown form is listed with nothing verified.

A node is torn when no release explains all its parts. For each part, `parts` names the newest release whose wishes it
fulfils, and the oldest that wants just the same of it; two parts whose spans do not meet are of two releases. A package
that is missing was removed by somebody, which tears nothing; it is listed as failed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from sparkctl.model.base import Record, Text, Word
from sparkctl.model.debian_version import version_key
from sparkctl.model.facets.ota import Installed, Ota, Recipe, Requirements
from sparkctl.model.facets.ota_checks import Check, Part, check, kernel_numbers
from sparkctl.model.printable import clip

PARTS: tuple[Part, ...] = ("packages", "software", "firmware", "connectx")
WEIGHTS = {"packages": 0.40, "firmware": 0.35, "software": 0.25}
SUBJECTS = {
    "packages": "packages are",
    "software": "kernel and driver are",
    "firmware": "firmware is",
    "connectx": "ConnectX-7 firmware is",
    "release_file": "the release file is",
}
STAMP = "dgx-release"
"""The package that writes the release file, so that their versions go together."""

CheckNames = Annotated[list[Text], Field(max_length=5000)]
Wishes = dict[tuple[Part, str], str]


class RecipeScore(Record):
    """How many of a recipe's wishes the node fulfils; each is named, as `package dgx-release` or `firmware SOCFW`."""

    name: Word
    title: Word | None = None
    released: Word | None = None
    format_known: bool
    verified: int
    failed: int
    not_verifiable: int
    verified_checks: CheckNames
    failed_checks: CheckNames
    not_verifiable_checks: CheckNames


class Span(Record):
    """The releases that one part of a node can be of, from the oldest to the newest; null: older than all of them."""

    oldest: Word | None = None
    newest: Word | None = None


class OtaScore(Record):
    """The verdict.

    `matched` is the recipe that fits best, null when there is none to go by; `proven` says that its firmware and all
    that it requires were verified. `newest` is the newest release there is a recipe for. `parts` are packages,
    software, firmware, connectx and the release file (`release_file`), as far as they could be verified.
    `torn_words` say which part is of which release. `awaits_reboot`: a kernel that the newest part's release wants is
    installed but does not run.
    """

    recipes: dict[Word, RecipeScore]
    matched: Word | None = None
    proven: bool = False
    newest: Word | None = None
    parts: dict[Word, Span]
    torn: bool
    torn_words: Annotated[list[Text], Field(max_length=60)]
    awaits_reboot: bool = False


@dataclass(frozen=True)
class _Release:
    """A recipe with what it wants and what became of each wish."""

    key: str
    recipe: Recipe
    wishes: Wishes
    checks: tuple[Check, ...]

    def of(self, part: Part) -> dict[str, str]:
        return {component: version for (at, component), version in self.wishes.items() if at == part}

    def checks_of(self, part: str) -> tuple[Check, ...]:
        return tuple(one for one in self.checks if one.part == part)


def score_ota(ota: Ota) -> OtaScore:
    """Judge a node's OTA state; pure."""
    releases = _releases(ota)
    known = [release for release in releases if release.recipe.format_known]
    matched = _match(known)
    parts = _parts(known, ota)
    words = _torn_words(known, parts, ota)
    return OtaScore(
        recipes={release.key: _score(release) for release in releases},
        matched=matched.key if matched else None,
        proven=matched is not None and _is_proven(matched),
        newest=known[-1].key if known else None,
        parts=parts,
        torn=bool(words),
        torn_words=words,
        awaits_reboot=_awaits_reboot(known, parts, ota.installed),
    )


def is_prerelease(key: str, recipe: Recipe) -> bool:
    """Whether a recipe is of a release that is not out."""
    return "beta" in f"{key} {recipe.name or ''}".lower()


def _releases(ota: Ota) -> list[_Release]:
    """All that are out, oldest first."""
    wishes = _wishes(ota.requirements or Requirements())
    out = [(key, recipe) for key, recipe in ota.recipes.items() if not is_prerelease(key, recipe)]
    ordered = sorted(out, key=lambda item: (item[1].released or "", version_key(item[0])))
    return [
        _Release(key, recipe, wishes.get(key, {}), _checks(wishes.get(key, {}), ota.installed))
        for key, recipe in ordered
    ]


def _wishes(requirements: Requirements) -> dict[str, Wishes]:
    found: dict[str, Wishes] = {}
    for part in PARTS:
        wanted: Mapping[str, Mapping[str, list[str]]] = getattr(requirements, part)
        for component, versions in wanted.items():
            for version, keys in versions.items():
                for key in keys:
                    found.setdefault(key, {})[part, component] = version
    return found


def _checks(wishes: Wishes, installed: Installed) -> tuple[Check, ...]:
    return tuple(check(part, component, version, installed) for (part, component), version in sorted(wishes.items()))


def _score(release: _Release) -> RecipeScore:
    names = {
        answer: [one.name for one in release.checks if one.answer == answer]
        for answer in ("verified", "failed", "not_verifiable")
    }
    return RecipeScore(
        name=release.recipe.name or release.key,
        title=release.recipe.title,
        released=release.recipe.released,
        format_known=release.recipe.format_known,
        verified=len(names["verified"]),
        failed=len(names["failed"]),
        not_verifiable=len(names["not_verifiable"]),
        verified_checks=names["verified"],
        failed_checks=names["failed"],
        not_verifiable_checks=names["not_verifiable"],
    )


def _match(known: list[_Release]) -> _Release | None:
    """The best of those whose required components do not speak against them; of equals the newest."""
    best: tuple[float, int] | None = None
    for at, release in enumerate(known):
        speaking = {one.name: _speaks(one, known[at + 1 :]) for one in release.checks}
        required = {one.name for one in release.checks if one.component in release.recipe.required}
        share = _share(release, speaking)
        if share is None or any(speaking[name] is False for name in required):
            continue
        if best is None or (share, at) > best:
            best = (share, at)
    return known[best[1]] if best else None


def _speaks(one: Check, later: Iterable[_Release]) -> bool | None:
    """Whether a check speaks for its recipe, None where it cannot be verified."""
    if one.answer == "not_verifiable":
        return None
    if one.part in ("firmware", "connectx"):
        return one.exact
    if one.answer == "failed" or one.part == "software" or one.found is None:
        return one.answer == "verified"
    raised = (release.wishes.get((one.part, one.component)) for release in later)
    ceiling = next((version for version in raised if version and version_key(version) > version_key(one.wanted)), None)
    return ceiling is None or version_key(one.found) < version_key(ceiling)


def _share(release: _Release, speaking: Mapping[str, bool | None]) -> float | None:
    """From 0 to 1 over the parts that could be verified; None when there is none."""
    total = weight = 0.0
    for group, portion in WEIGHTS.items():
        parts = ("firmware", "connectx") if group == "firmware" else (group,)
        answers = [speaking[one.name] for one in release.checks if one.part in parts and speaking[one.name] is not None]
        if answers:
            total += portion * sum(map(bool, answers)) / len(answers)
            weight += portion
    return total / weight if weight else None


def _is_proven(release: _Release) -> bool:
    firmware = release.checks_of("firmware")
    seen = not firmware or any(one.answer != "not_verifiable" for one in firmware)
    required = [one for one in release.checks if one.component in release.recipe.required]
    return seen and all(one.answer != "not_verifiable" for one in required) and bool(release.checks_of("packages"))


def _parts(known: list[_Release], ota: Ota) -> dict[str, Span]:
    """Spans of the parts that say anything."""
    found: dict[str, Span] = {}
    for part in PARTS:
        answers = {one.answer for release in known for one in release.checks_of(part)}
        if answers - {"not_verifiable"}:
            wishes = [release.of(part) for release in known]
            fulfilled = [not any(one.is_older for one in release.checks_of(part)) for release in known]
            found[part] = _span(known, wishes, fulfilled)
    stamp = ota.release.version if ota.release else None
    stamps = [{STAMP: version} if (version := release.wishes.get(("packages", STAMP))) else {} for release in known]
    if stamp and any(stamps):
        reached = [not wish or version_key(stamp) >= version_key(wish[STAMP]) for wish in stamps]
        found["release_file"] = _span(known, stamps, reached)
    return found


def _span(known: list[_Release], wishes: list[dict[str, str]], fulfilled: list[bool]) -> Span:
    newest = max((at for at, is_fulfilled in enumerate(fulfilled) if is_fulfilled), default=None)
    if newest is None:
        return Span()
    oldest = newest
    while oldest > 0 and wishes[oldest - 1] == wishes[newest]:
        oldest -= 1
    return Span(oldest=known[oldest].key, newest=known[newest].key)


def _torn_words(known: list[_Release], parts: Mapping[str, Span], ota: Ota) -> list[str]:
    """Nothing for a node of one piece."""
    words = _stamp_words(ota)
    places = {release.key: at for at, release in enumerate(known)}
    spans = {
        part: (places.get(span.oldest or "", -1), places.get(span.newest or "", -1)) for part, span in parts.items()
    }
    if not spans:
        return words
    ahead = max(spans, key=lambda part: spans[part][0])
    goal = spans[ahead][0]
    for part in sorted(part for part, (_, newest) in spans.items() if newest < goal):
        there = parts[part].newest
        of = f"of {known[places[there]].recipe.name or there}" if there else "older than every recipe"
        words.append(f"{SUBJECTS[part]} {of}, {SUBJECTS[ahead]} of {_name(known[goal])}")
        words += [
            f"{one.name} is {one.found}, {_name(known[goal])} wants {one.wanted}"
            for one in known[goal].checks_of(part)
            if one.is_older
        ][:10]
    return [clip(each) for each in words[:60]]


def _stamp_words(ota: Ota) -> list[str]:
    stamp, package = ota.release.version if ota.release else None, (ota.installed.packages or {}).get(STAMP)
    if not stamp or not package or stamp == package.partition("-")[0]:
        return []
    return [f"the release file says {stamp}, the package {STAMP} is {package}"]


def _name(release: _Release) -> str:
    return release.recipe.name or release.key


def _awaits_reboot(known: list[_Release], parts: Mapping[str, Span], installed: Installed) -> bool:
    """Whether an installed kernel would do for the release of the packages, and the running one does not."""
    goal = parts["packages"].newest if "packages" in parts else None
    checks = [one for release in known if release.key == goal for one in release.checks_of("software")]
    kernel = next((one for one in checks if one.component == "kernel"), None)
    if kernel is None or not kernel.is_older:
        return False
    flavour, least = kernel_numbers(kernel.wanted)
    there = [kernel_numbers(release) for release in installed.kernel_images or []]
    return any(of == flavour and numbers >= least for of, numbers in there)
