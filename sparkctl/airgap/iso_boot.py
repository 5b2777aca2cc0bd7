"""The boot records of an ISO image, as xorriso reports them: El Torito, MBR and GPT, and what they point at."""

import re
from dataclasses import dataclass

from sparkctl.model.printable import printable

BLOCK = 2048
SECTOR = 512
_ESP_GUID = "28732ac11ff8d211ba4b00a0c93ec93b"  # C12A7328-F81F-11D2-BA4B-00A0C93EC93B as its bytes stand on a disk
_ESP_MBR = "0xef"
_ROOM = {
    "El Torito catalog": slice(0, 1), "El Torito boot img": slice(-1, None), "ISO image size/512": slice(None),
    "MBR partition": slice(3, None), "GPT lba range": slice(None), "GPT start and size": slice(1, None),
}  # fmt: skip
"""Which words of a report say where something lies. That moves when files change their size; all else must stay."""


@dataclass(frozen=True, slots=True)
class BootRecords:
    """What makes an image boot.

    `fixed` is all that is reported, without the places; `efi` has start and size, in bytes, of each EFI boot image and
    EFI partition; `disk_guid` is None without a GPT; `gap` says whether the padding is a partition of its own.
    """

    fixed: tuple[str, ...]
    efi: tuple[tuple[int, int], ...]
    disk_guid: str | None
    gap: bool


def boot_records(report: str) -> BootRecords:
    """Read `-report_el_torito plain` and `-report_system_area plain`. Raises ValueError for words it does not know."""
    rows = [_row(line) for line in report.splitlines() if line.strip()]
    fixed = tuple(f"{label}: {' '.join(_without_places(label, words))}" for label, words in rows)
    guid = next((words[0] for label, words in rows if label == "GPT disk GUID" and words), None)
    if guid is not None and not re.fullmatch("[0-9a-f]{32}", guid):
        raise ValueError("its GPT has no GUID")
    gap = any(label == "GPT partname local" and words[1:2] == ["Gap1"] for label, words in rows)
    return BootRecords(fixed, (*_el_torito(rows), *_partitions(rows)), guid, gap)


def first_difference(before: BootRecords, after: BootRecords) -> str | None:
    """What is no longer as it was, in the words of the report; None when all is."""
    for one, other in zip(before.fixed, after.fixed, strict=False):
        if one != other:
            return f"'{printable(one, 120)}' became '{printable(other, 120)}'"
    longer = before if len(before.fixed) > len(after.fixed) else after
    rest = longer.fixed[min(len(before.fixed), len(after.fixed)) :]
    if rest:
        return f"'{printable(rest[0], 120)}' {'is gone' if longer is before else 'is new'}"
    return None if len(before.efi) == len(after.efi) else "the number of EFI images is another"


Rows = list[tuple[str, list[str]]]


def _row(line: str) -> tuple[str, list[str]]:
    label, colon, words = line.partition(":")
    if not colon:
        raise ValueError(line)
    return label.rstrip(), words.split()


def _without_places(label: str, words: list[str]) -> list[str]:
    kept = list(words)
    if label in _ROOM:
        del kept[_ROOM[label]]
    return kept


def _el_torito(rows: Rows) -> list[tuple[int, int]]:
    """`El Torito boot img: N platform ... size LBA`, the size in sectors of 512 bytes.

    Of an image outside of the tree, `El Torito img blks: N blocks` tells how many blocks of 2048 bytes it has.
    """
    images = [words for label, words in rows if label == "El Torito boot img" and words[1] == "UEFI"]
    blocks = {words[0]: int(words[1]) * BLOCK for label, words in rows if label == "El Torito img blks"}
    return [(int(words[-1]) * BLOCK, blocks.get(words[0], int(words[-2]) * SECTOR)) for words in images]


def _partitions(rows: Rows) -> list[tuple[int, int]]:
    """`GPT start and size: N start size` and `MBR partition: N status type start blocks`, in sectors of 512 bytes."""
    esp = {words[0] for label, words in rows if label == "GPT type GUID" and words[1] == _ESP_GUID}
    gpt = [words for label, words in rows if label == "GPT start and size" and words[0] in esp]
    mbr = [words for label, words in rows if label == "MBR partition" and words[2] == _ESP_MBR]
    return [(int(words[-2]) * SECTOR, int(words[-1]) * SECTOR) for words in (*gpt, *mbr)]
