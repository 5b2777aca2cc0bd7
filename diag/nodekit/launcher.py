"""Run an act once: on the boot it is meant for, under its fence, and one at a time on this machine.

The source of this module is the main process of an act's unit: `python3 -I -S -c SOURCE ACT FENCE BOOT_ID -- COMMAND`,
where `--then` parts commands that run one after the other, as long as each ends well. Its words must not hold a dollar
sign, which systemd would expand. What it keeps lies in memory and is gone with the boot: the highest fence, and of each
act that it began, that it ended, and what it printed.

The commands inherit the lock, so that it holds while one of them runs though this process was killed; at the end it is
released for all who inherited it, so that a daemon which a command left behind keeps nobody out.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time

FOLDER = "/run/sparkctl"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
BUSY, FENCED, OTHER_BOOT, REPEATED = 181, 182, 183, 184
MOST_OUTPUT = 4 * 1024 * 1024  # bytes that are kept of what the commands print; more of it starts anew
THEN = "--then"


def main(act: str, fence: int, boot_id: str, words: list[str]) -> int:
    """Run the commands unless there is a reason not to; returns the exit status of the last one, or the reason."""
    os.umask(0o077)
    os.makedirs(FOLDER, 0o700, exist_ok=True)
    lock = os.open(f"{FOLDER}/act.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return BUSY
    with open(BOOT_ID, encoding="ascii") as file:
        if file.read().strip() != boot_id:
            return OTHER_BOOT
    if os.path.exists(f"{FOLDER}/{act}.began"):
        return REPEATED
    if fence < _highest():
        return FENCED
    _write("fence", str(fence))
    _write(f"{act}.began", str(fence))
    started = time.monotonic()
    status = run(words, os.open(f"{FOLDER}/{act}.out", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), lock)
    _write(f"{act}.ended", json.dumps({"exit_status": status, "ms": round((time.monotonic() - started) * 1000)}))
    fcntl.flock(lock, fcntl.LOCK_UN)
    return status if status >= 0 else 128 - status


def run(words: list[str], output: int, lock: int) -> int:
    """Run the commands in turn; returns the exit status of the last that ran, a signal as a negative number."""
    status = 0
    while words and status == 0:
        cut = words.index(THEN) if THEN in words else len(words)
        argv, words = words[:cut], words[cut + 1 :]
        try:
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=(lock,))
        except OSError as problem:
            os.write(output, f"{argv[0]}: {problem.strerror}\n".encode())
            return 127
        signal.signal(signal.SIGTERM, lambda number, _, child=child: child.send_signal(number))  # type: ignore[misc]
        status = _wait(child, output)
    return status


def _wait(child: "subprocess.Popen[bytes]", output: int) -> int:
    """Wait for a command, and keep what it prints within bounds meanwhile."""
    while True:
        if os.fstat(output).st_size > MOST_OUTPUT:
            os.ftruncate(output, 0)
        try:
            return child.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            continue


def _highest() -> int:
    """The highest fence that this boot has seen."""
    try:
        with open(f"{FOLDER}/fence", encoding="ascii") as file:
            return int(file.read())
    except FileNotFoundError:
        return 0


def _write(name: str, text: str) -> None:
    fresh = f"{FOLDER}/.{name}"
    with open(fresh, "w", encoding="ascii") as file:
        file.write(text)
    os.replace(fresh, f"{FOLDER}/{name}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[5:]))
