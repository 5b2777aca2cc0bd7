"""The Sanitize Status log page as nvme-cli prints it; and as an act, waiting until a sanitise has ended.

`python3 -I -S -c SOURCE DEVICE STALL` waits, and prints each page that says something new as a line of JSON. It imports
nothing of ours, and its words must not hold a dollar sign. Sources: NVM Express base specification 2.0, figure 272
(SPROG, SSTAT, SCDW10); nvme-cli, nvme-print-json.c: the page stands under the device's name, and its state is a text
that begins with its number, under a key that differs between releases.
"""

import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

NVME = "/usr/sbin/nvme"
NEVER, SUCCEEDED, RUNNING, FAILED, SUCCEEDED_DEALLOCATED = range(5)
WAITED_FAILED, WAITED_STUCK, WAITED_UNREAD, WAITED_NEVER = 3, 4, 5, 6
ASK_SECONDS = 30
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
NEW_PROGRESS = 65536 // 20


@dataclass(frozen=True)
class Page:
    """The page: the number of the state, progress in 1/65536, the command it is about, whether all is still erased."""

    state: int
    progress: int
    cdw10: int
    erased: bool


def page_in(text: str) -> Page:
    """The page in what `nvme sanitize-log --output-format=json` printed; raises ValueError."""
    found = json.loads(text)
    inner = next((one for one in found.values() if isinstance(one, dict) and "sprog" in one), found)
    progress, status = inner.get("sprog"), inner.get("sstat")
    cdw10 = inner.get("cdw10_info", inner.get("scdw10"))
    if isinstance(status, dict):
        state, erased = _state_in(status), bool(status.get("global_erased"))
    else:
        number = int(str(status), 0)
        state, erased = number & 7, bool(number >> 8 & 1)
    return Page(state, int(str(progress), 0), int(str(cdw10), 0), erased)


def _state_in(status: dict[str, Any]) -> int:
    for value in status.values():
        match = re.match(r"\((\d)\)", value) if isinstance(value, str) else None
        if match:
            return int(match[1])
    return int(status["status"]) & 7


def main(device: str, stall: str) -> int:
    """Wait until it has ended, or stands still for so many seconds; returns the exit status."""
    told, last, moved, pause = None, None, time.monotonic(), FIRST_PAUSE
    while True:
        page = _asked(device)
        if page is not None and page != last:
            last, moved = page, time.monotonic()
        stuck = time.monotonic() - moved > float(stall)
        ended = page is not None and page.state != RUNNING
        if page is not None and (ended or stuck or _is_news(page, told)):
            told = page
            _tell(page)
        if ended and page is not None:
            return {SUCCEEDED: 0, SUCCEEDED_DEALLOCATED: 0, NEVER: WAITED_NEVER}.get(page.state, WAITED_FAILED)
        if stuck:
            return WAITED_UNREAD if page is None else WAITED_STUCK
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _is_news(page: Page, told: Page | None) -> bool:
    return told is None or page.state != told.state or abs(page.progress - told.progress) >= NEW_PROGRESS


def _tell(page: Page) -> None:
    words = {"at": round(time.time()), "state": page.state, "progress": page.progress, "cdw10": page.cdw10}
    print(json.dumps({**words, "erased": page.erased}), flush=True)


def _asked(device: str) -> Page | None:
    try:
        ran = subprocess.run(
            [NVME, "sanitize-log", device, "--output-format=json"], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=ASK_SECONDS, check=False,
        )  # fmt: skip
        return page_in(ran.stdout.decode()) if ran.returncode == 0 else None
    except (ValueError, TypeError, KeyError, AttributeError, OSError, subprocess.TimeoutExpired):
        return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
