"""A process that uses a store, for tests that need another one; it prints a line for all that it has done.

usage: sweeping_child.py FOLDER sweep RUN_ID       hold the lock and store records until killed
       sweeping_child.py FOLDER contend RUN_ID...  one short run after the other, waiting for the lock before each
       sweeping_child.py FOLDER open               wait for a line on standard input, then open the store
       sweeping_child.py FOLDER nobody read|sweep  the same as a user without rights, or begin a run as that user
"""

import itertools
import os
import sys
import tempfile
from pathlib import Path

from sparkctl.errors import BusyError, StoreError
from sparkctl.model.outcome import NodeOutcome
from sparkctl.store import Store, SweepLock
from tests.store.samples import begin, report, reported

NOBODY = 65534


def sweep(folder: Path, run_id: str) -> None:
    with SweepLock(folder, ["sparkctl", "health", "rack=a1"]) as lock, Store.open(folder) as store:
        begin(store, lock, run_id)
        for number in itertools.count():
            store.add([NodeOutcome.of(reported(run_id, f"spark{number}"))])
            print(f"spark{number}", flush=True)


def contend(folder: Path, run_id: str) -> None:
    while True:
        try:
            with SweepLock(folder, ["sparkctl", "health"]) as lock, Store.open(folder) as store:
                begin(store, lock, run_id)
                for number in range(5):
                    store.add([NodeOutcome.of(reported(run_id, f"spark{number}"))])
                store.finish_run(report(run_id))
            print(run_id, flush=True)
            return
        except BusyError:
            continue


def be_nobody(folder: Path, purpose: str) -> None:
    # What is imported later may not be readable for nobody.
    with tempfile.TemporaryDirectory() as unused:
        Store.open(Path(unused)).close()
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    try:
        with Store.open(folder) as store:
            store.runs(1)
            if purpose == "sweep":
                with SweepLock(folder, ["sparkctl", "health"]) as lock:
                    begin(store, lock, "r1")
        print("done")
    except StoreError as error:
        print(error.message)


def main() -> None:
    folder, action, *run_ids = sys.argv[1:]
    if action == "sweep":
        sweep(Path(folder), run_ids[0])
    elif action == "contend":
        for run_id in run_ids:
            contend(Path(folder), run_id)
    elif action == "nobody":
        be_nobody(Path(folder), run_ids[0])
    else:
        print("ready", flush=True)
        sys.stdin.readline()
        with Store.open(Path(folder)):
            print("opened", flush=True)


if __name__ == "__main__":
    main()
