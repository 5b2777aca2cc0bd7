"""What is not as it should be with one machine, by everything that is said of it; and the unit that comes of it.

A drive of a nominal size has about that many bytes (IDEMA LBA1-03: 1 TB is 1,000,204,886,016), so that 3 % tell sizes
apart that are sold. Healthy GB10 show 112.3 to 121.7 GiB of their 128 (public owner reports, 2025-2026), since the
firmware keeps some for itself: less than 85 % is another machine.
"""

from sparkctl.lifecycle.labels import macs_in
from sparkctl.lifecycle.match_group import SEVERITY, Group, serial_key
from sparkctl.model.receiving import MatchClass, MatchedUnit, Observation, OrderLine

SSD_TOLERANCE = 0.03
MEMORY_LEAST, MEMORY_MOST = 0.85, 1.01
_AGREED = "order, notice, label and machine agree"
_MOST_REASONS = 12


def compare(group: Group) -> None:
    """Note everything about a group in which its sources differ, or that is missing."""
    if not group.extra and group.key is not None:
        _arrival(group)
    _parts(group)
    _macs(group)
    if group.seen is not None and group.seen.serials_agree is False:
        group.fault(MatchClass.SERIAL_MISMATCH, "the machine's own sources name different serials")
    if group.seen is not None and group.order is not None:
        _configuration(group, group.order, group.seen)


def _arrival(group: Group) -> None:
    if group.notice is not None and group.scan is None:
        if group.seen is None:
            group.fault(MatchClass.NOT_ARRIVED, "it was announced, and nobody has scanned or seen it")
        else:
            group.fault(MatchClass.NOT_SCANNED, "it answers, and nobody has scanned its label")
    if group.scan is None:
        return
    if group.seen is None:
        group.fault(MatchClass.MATCHED_PARTIALLY, "it was not observed yet")
    elif group.seen.serial is None:
        group.fault(
            MatchClass.MATCHED_PARTIALLY, "the machine names no serial; it is known by a MAC address or enrolment"
        )


def _parts(group: Group) -> None:
    noticed = group.notice.part_number if group.notice else None
    wanted = group.order.part_number if group.order else noticed
    if wanted is None:
        return
    source = "ordered" if group.order else "announced"
    if noticed is not None and serial_key(noticed) != serial_key(wanted):
        group.fault(MatchClass.WRONG_PART, f"ordered is {wanted}, announced {noticed}")
    if group.label.parts and serial_key(wanted) not in group.label.parts:
        group.fault(MatchClass.WRONG_PART, f"{source} is {wanted}, the label says {group.label.parts[-1]}")
    product = group.order.product if group.order else None
    says = group.seen.product if group.seen else None
    if product is not None and says is not None and product.casefold() != says.casefold():
        group.fault(MatchClass.WRONG_PART, f"ordered is {product}, the machine says {says}")


def _macs(group: Group) -> None:
    noticed = set(macs_in(" ".join(group.notice.macs))) if group.notice else set()
    scanned = set(group.label.macs)
    if noticed and scanned and not noticed & scanned:
        words = f"the label says {_some(scanned)}, the notice {_some(noticed)}"
        group.fault(MatchClass.MAC_MISMATCH, words)
    if group.seen is None or not (noticed or scanned):
        return
    seen = set(macs_in(" ".join(group.seen.macs)))
    if not seen:
        group.fault(MatchClass.MATCHED_PARTIALLY, "no MAC address of the machine could be read")
        return
    for source, macs in (("label", scanned), ("notice", noticed)):
        if foreign := macs - seen:
            words = f"the {source} says {_some(foreign)}, which the machine has not; it has {_some(seen)}"
            group.fault(MatchClass.MAC_MISMATCH, words)


def _some(macs: set[str]) -> str:
    shown = sorted(macs)
    return ", ".join(shown[:4]) + (", …" if len(shown) > 4 else "")


def _configuration(group: Group, order: OrderLine, seen: Observation) -> None:
    if order.ssd_bytes is not None:
        if seen.ssd_bytes is None:
            group.fault(MatchClass.MATCHED_PARTIALLY, "the size of its drive could not be read")
        elif abs(seen.ssd_bytes - order.ssd_bytes) > SSD_TOLERANCE * order.ssd_bytes:
            words = f"ordered are {order.ssd_bytes / 1e12:.3g} TB, its drive has {seen.ssd_bytes / 1e12:.3g} TB"
            group.fault(MatchClass.WRONG_CONFIGURATION, words)
    if order.memory_bytes is not None:
        if seen.memory_bytes is None:
            group.fault(MatchClass.MATCHED_PARTIALLY, "the size of its memory could not be read")
        elif not MEMORY_LEAST <= seen.memory_bytes / order.memory_bytes <= MEMORY_MOST:
            words = (
                f"ordered are {order.memory_bytes / 2**30:.4g} GiB of memory, it has {seen.memory_bytes / 2**30:.4g}"
            )
            group.fault(MatchClass.WRONG_CONFIGURATION, words)


def unit_of(group: Group) -> MatchedUnit:
    """The unit of a group: the worst of its faults is the class, all of them are reasons, the worst first."""
    faults = sorted(group.faults, key=lambda fault: -SEVERITY[fault[0]])
    notice, scan, seen, order = group.notice, group.scan, group.seen, group.order
    reasons = list(dict.fromkeys(words[:1000] for _, words in faults)) or [_AGREED]
    return MatchedUnit(
        match_class=faults[0][0] if faults else MatchClass.MATCHED,
        reasons=reasons[:_MOST_REASONS],
        serial=group.key,
        node_id=seen.node_id if seen else None,
        po=order.po if order else notice.po if notice else None,
        line=order.line if order else notice.line if notice else None,
        part_number=_part(group),
        carton=(notice.carton if notice else None) or group.label.carton,
        asset_tag=group.label.asset_tag,
        order=order.where if order else None,
        notice=notice.where if notice else None,
        scan=scan.where if scan else None,
        observed=seen.where if seen else None,
        simulated=seen.simulated if seen else False,
    )


def _part(group: Group) -> str | None:
    if group.order is not None:
        return group.order.part_number
    noticed = group.notice.part_number if group.notice else None
    return noticed or next(reversed(group.label.parts), None)


def short_of(line: OrderLine, missing: int) -> MatchedUnit:
    """The machines of a line that nobody has announced or brought."""
    return MatchedUnit(
        match_class=MatchClass.SHORT,
        reasons=[f"{line.quantity:,} were ordered, {missing:,} of them were neither announced nor brought"],
        po=line.po,
        line=line.line,
        part_number=line.part_number,
        order=line.where,
        count=missing,
    )
