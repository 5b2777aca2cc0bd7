"""What a year of a large fleet weighs in the store, and how long questions to it take.

Makes the store of a year: one health sweep an hour, one collection a day, with changes at rates that are stated below
and facets taken from a simulated node. Nothing in it was measured on a real one. The rows are written straight into the
tables, since asking that many nodes would take the year. Then the questions of an operator are put to it, as commands.

    python -m tests.bench.year                 10,000 nodes, 365 days: about five minutes, 3 GB of disk
    python -m tests.bench.year --quick         1,000 nodes, 30 days
"""

import hashlib
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import Any

from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.render import render
from sparkctl.lab.tree import Pool, root_view, write_tree
from sparkctl.model.canonical import canonical_json
from sparkctl.model.facets.catalogue import FACETS
from sparkctl.store import Store
from sparkctl.store.documents import pack
from sparkctl.store.identifiers import IDENTITY, identifiers_in
from tests.bench import machine
from tests.bench.figures import Aim, Spread, table
from tests.bench.options import parser as command_line
from tests.bench.page import replace_section
from tests.facets.harness import collected
from tests.store.samples import reported

START = datetime(2025, 11, 25, tzinfo=UTC)
ASK_TIMES = 3
ASKED, MODEL = 42, 7  # the node that is asked for, and the one that the baseline is made of
WHERE = "os.kernel.running=6.17*"
MOST_BYTES = 2 * 2**30
MOST_SECONDS = 1.0

# How often things change, a guess: no operator has published such rates. A wave of updates reaches all nodes within ten
# days; what changes by itself does so on each node alone.
HEALTH_PER_DAY = 0.2
WAVES_PER_YEAR = {"os": 12, "drivers": 12, "software": 24, "firmware": 4, "ota": 4, "security": 6, "hardware": 1}
ALONE_PER_YEAR = {"network": 12, "storage": 4}
WAVE_DAYS = 10
_FIRST_MACS = "02:51:00:01:"
_KEYS = re.compile(r"(?<=SHA256:)[A-Za-z0-9+/]{43}|(?<=\"machine_id\":\")[0-9a-f]{32}")
CHANGES = {
    "hardware": ("NVIDIA GB10", "NVIDIA GB10 {}"),
    "firmware": ("NXHB202Q", "NXHB{}"),
    "os": ("6.17.0-1014-nvidia", "6.17.0-{}-nvidia"),
    "ota": ("7.4.0", "7.{}.0"),
    "drivers": ("580.142", "580.{}"),
    "software": ("580.142", "580.{}"),
    "network": ("192.0.2.2/24", "192.0.2.2/{}"),
    "storage": ("EFI System Partition", "ESP {}"),
    "security": ("Not affected", "Vulnerable since day {}"),
}


@dataclass
class Year:
    """The store while it is made: rows are handed to SQLite as they come."""

    connection: sqlite3.Connection
    nodes: int
    chance: random.Random
    documents: dict[str, int] = field(default_factory=dict)
    run: int = 0

    def document(self, text: str) -> tuple[int, str]:
        """The id and the digest of a document, stored when it is new."""
        packed = pack(text)
        if packed.sha256 not in self.documents:
            number = len(self.documents) + 1
            self.documents[packed.sha256] = number
            self.connection.execute(
                "INSERT INTO documents VALUES (?, ?, 'zlib', ?, ?)",
                (number, packed.sha256, packed.size, packed.content),
            )
        return self.documents[packed.sha256], packed.sha256

    def begin(self, kind: str, at: datetime) -> None:
        """A run of all nodes."""
        self.run += 1
        self.connection.execute(
            "INSERT INTO runs (id, run_id, kind, tool, state, started_at, finished_at, selector, asked, program_sha256,"
            " selected, pid, host) VALUES (?, ?, ?, 'bench', 'finished', ?, ?, 'all', '', ?, ?, 1, 'bench')",
            (self.run, f"run{self.run}", kind, _moment(at), _moment(at), "0" * 64, self.nodes),
        )

    def visit(self, vectors: Sequence[int]) -> None:
        """A visit to every node in the run that was begun last."""
        numbers = range(1, self.nodes + 1)
        rows = zip(repeat(self.run), numbers, _seconds(self.nodes), vectors, repeat(None), strict=False)
        self.connection.executemany("INSERT INTO visits VALUES (?, ?, ?, ?, ?)", rows)


@dataclass
class Parts:
    """What holds on each node: document, digest, and since which run, by part."""

    year: Year
    held: dict[str, list[tuple[int, str, int]]] = field(default_factory=dict)
    past: int = 0

    def first(self, part: str, texts: Iterable[str]) -> None:
        """What holds at the beginning; identities, which never change here, with what should be theirs alone."""
        texts = list(texts)
        self.held[part] = [(*self.year.document(text), self.year.run) for text in texts]
        if part == IDENTITY:
            rows = ((*each, node) for node, text in enumerate(texts, 1) for each in identifiers_in(text))
            self.year.connection.executemany("INSERT INTO identifiers VALUES (?, ?, ?)", rows)

    def move(self, part: str, node: int, text: str) -> None:
        """A node has something else now."""
        document, _, since = self.held[part][node]
        self.held[part][node] = (*self.year.document(text), self.year.run)
        self.past += 1
        self.year.connection.execute(
            "INSERT OR IGNORE INTO spans VALUES (?, ?, ?, ?, ?)", (node + 1, part, since, self.year.run, document)
        )

    def finish(self) -> None:
        """Write down what holds at the end."""
        for part, held in self.held.items():
            seen = self.year.run
            rows = ((node, part, since, seen, document) for node, (document, _, since) in enumerate(held, 1))
            self.year.connection.executemany("INSERT INTO standings VALUES (?, ?, ?, ?, ?)", rows)


def make(state: Path, nodes: int, days: int) -> dict[str, int]:
    """Make the store of a year; counts of what is in it."""
    Store.open(state).close()
    connection = sqlite3.connect(state / "state.db", isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "foreign_keys = OFF", "cache_size = -500000"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    year = Year(connection, nodes, random.Random(1))
    connection.executemany("INSERT INTO nodes VALUES (?, ?)", ((n, name(n)) for n in range(1, nodes + 1)))
    parts, verdicts, facets = Parts(year), _verdicts(), _facets()
    counts = _live(year, parts, verdicts, facets, days)
    parts.finish()
    _keep_a_record(year)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    return counts


def _keep_a_record(year: Year) -> None:
    """Of the last visit to the node that is asked for, the whole record; all others were let go."""
    record = reported(f"run{year.run}", name(ASKED)).model_dump_json()
    number, _ = year.document(record)
    year.connection.execute("UPDATE visits SET record = ? WHERE run = ? AND node = ?", (number, year.run, ASKED))


def _live(year: Year, parts: Parts, verdicts: list[str], facets: dict[str, str], days: int) -> dict[str, int]:
    """Hour after hour."""
    chance, waves = year.chance, _waves(year, days)
    parts.first("health", (verdicts[0] for _ in range(year.nodes)))
    vectors = [_health_vector(year, parts, node) for node in range(year.nodes)]
    visits = 0
    for day in range(days):
        for hour in range(24):
            at = START + timedelta(days=day, hours=hour)
            if hour == 0:
                visits += _collect(year, parts, facets, waves, day, at)
            year.begin("health", at)
            for node in _struck(chance, year.nodes, HEALTH_PER_DAY / 24):
                parts.move("health", node, chance.choice(verdicts))
                _note_change(year, node)
                vectors[node] = _health_vector(year, parts, node)
            year.visit(vectors)
            visits += year.nodes
    return {"runs": year.run, "visits": visits, "changes of parts": parts.past, "documents": len(year.documents)}


def _collect(
    year: Year, parts: Parts, facets: dict[str, str], waves: dict[str, list[list[int]]], day: int, at: datetime
) -> int:
    year.begin("collect", at)
    for facet, text in facets.items():
        if day == 0:
            parts.first(facet, (_of_node(facet, text, node) for node in range(year.nodes)))
            continue
        for node in waves.get(facet, [[]] * (day + 1))[day]:
            parts.move(facet, node, _next(facet, text, day))
        for node in _struck(year.chance, year.nodes, ALONE_PER_YEAR.get(facet, 0) / 365):
            parts.move(facet, node, _next(facet, text, day * 100_000 + node))
    year.visit([_facts_vector(year, parts, facets, node) for node in range(year.nodes)])
    return year.nodes


def _waves(year: Year, days: int) -> dict[str, list[list[int]]]:
    """By facet and day, the nodes that a wave of updates reaches."""
    plan: dict[str, list[list[int]]] = {}
    for facet, often in WAVES_PER_YEAR.items():
        plan[facet] = [[] for _ in range(days + WAVE_DAYS)]
        for wave in range(max(1, often * days // 365)):
            begins = 1 + wave * days // max(1, often * days // 365)
            for node in range(year.nodes):
                plan[facet][min(begins + year.chance.randrange(WAVE_DAYS), days + WAVE_DAYS - 1)].append(node)
    return plan


def _struck(chance: random.Random, nodes: int, share: float) -> list[int]:
    """About this share of the nodes."""
    exact = nodes * share
    number = int(exact) + (chance.random() < exact % 1)
    return chance.sample(range(nodes), min(number, nodes))


def _verdicts() -> list[str]:
    """A verdict in which all is well, and one for each of some checks that warned."""
    checks = [f"area{number // 8}.check{number}" for number in range(70)]
    well = dict.fromkeys(checks, "pass")
    ill = [{**well, check: "warn"} for check in checks[:40]]
    return ["\n".join(f"{check} {status}" for check, status in each.items()) for each in (well, *ill)]


def _facets() -> dict[str, str]:
    """The facets of a simulated node as canonical JSON."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tree(render(NodeModel("spark00001", "1")), folder / "node", Pool(folder / "pool"), 1_790_000_000.0)
        tree = root_view((folder / "node").resolve())
        documents = {facet: collected(facet, tree, "root") for facet in FACETS}
    return {
        facet: canonical_json({"data": _bare(each["data"]), "gaps": {}}).decode() for facet, each in documents.items()
    }


def _bare(value: Any) -> Any:
    """Without nulls, as facets are stored."""
    if isinstance(value, dict):
        return {key: _bare(member) for key, member in value.items() if member is not None}
    return value


def _of_node(facet: str, text: str, node: int) -> str:
    """Identity and network are every node's own, the rest is alike."""
    if facet not in ("identity", "network", "storage"):
        return text
    own = text.replace("00001", f"{node + 1:05}").replace(_FIRST_MACS, f"02:51:{node >> 8:02x}:{node & 255:02x}:")
    return _KEYS.sub(lambda key: hashlib.sha256(f"{key[0]} {node}".encode()).hexdigest()[: len(key[0])], own)


def _next(facet: str, text: str, number: int) -> str:
    """The facet after its change of that number: one word in it is another one."""
    word, other = CHANGES[facet]
    assert word in text, f"the {facet} of a simulated node says {word!r} no more"
    return text.replace(word, other.format(number))


def _health_vector(year: Year, parts: Parts, node: int) -> int:
    _, digest, _ = parts.held["health"][node]
    return year.document(
        '{"completeness":0.9571,"origin":"simulated","outcome":"reported","parts":{"health":"'
        + digest
        + '"},"worst":"pass"}'
    )[0]


def _facts_vector(year: Year, parts: Parts, facets: dict[str, str], node: int) -> int:
    digests = {facet: parts.held[facet][node][1] for facet in facets}
    return year.document(json.dumps({"origin": "simulated", "outcome": "reported", "parts": digests}))[0]


def _note_change(year: Year, node: int) -> None:
    year.connection.execute(
        "INSERT OR IGNORE INTO changes VALUES (?, ?, 'area1.check9', 'pass', 'warn', NULL, ?)",
        (node + 1, year.run, "the reading is 87.5 %, which is above the 85 % of the threshold"),
    )


def name(number: int) -> str:
    """The name of a node."""
    return f"spark{number:05}"


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.000000")


def _seconds(nodes: int) -> Iterator[int]:
    return (node // 40 for node in range(nodes))


def sizes(state: Path) -> dict[str, int]:
    """Bytes of the database by table, indexes with their table."""
    connection = sqlite3.connect(state / "state.db")
    rows = connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall()
    owner = dict(connection.execute("SELECT name, tbl_name FROM sqlite_master").fetchall())
    connection.close()
    found: dict[str, int] = {}
    for part, size in rows:
        found[owner.get(part, part)] = found.get(owner.get(part, part), 0) + size
    return found


def ask(state: Path, fleet: Path, *words: str) -> Spread:
    """Wall seconds of a command, start of Python included."""
    command = [sys.executable, "-m", "sparkctl", *words, "--state", str(state)]
    environment = os.environ | {"PYTHONPATH": str(machine.ROOT), "SPARKCTL_FLEET": str(fleet)}
    taken = []
    for _ in range(ASK_TIMES):
        began = time.monotonic()
        ran = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        taken.append(time.monotonic() - began)
        if ran.returncode not in (0, 1, 3):
            raise RuntimeError(f"{' '.join(words)}: {ran.stderr.decode()[-300:]}")
    return Spread(median(taken), min(taken), max(taken))


def main(argv: Sequence[str] | None = None) -> int:
    """Make the store, weigh it, question it."""
    parser = command_line("year", __doc__)
    parser.add_argument("--quick", action="store_true", help="1,000 nodes, 30 days")
    parser.add_argument("--write", action="store_true", help="put the results into docs/performance.md")
    options = parser.parse_args(argv)
    nodes, days = (1000, 30) if options.quick else (10_000, 365)
    with machine.alone(), tempfile.TemporaryDirectory(prefix="sparkctl-bench-") as scratch:
        report = _measure(Path(scratch), nodes, days, print)
    print(report)
    if options.write:
        replace_section("year", report)
    return 0


def _measure(folder: Path, nodes: int, days: int, say: Callable[[str], object]) -> str:
    state, fleet = folder / "state", folder / "fleet.yaml"
    fleet.write_text(f"nodes: ['spark[00001-{nodes:05}]']\n")
    began = time.monotonic()
    counts = make(state, nodes, days)
    say(f"made in {time.monotonic() - began:.0f} s")
    weights = sizes(state)
    commands = (
        ("baseline", "set", "--node", name(MODEL), "--facet", "drivers", "--facet", "os"),
        ("history", name(ASKED)),
        ("history", name(ASKED), "--facet", "drivers"),
        ("drift",),
        ("show", "--field", "os.kernel.running", "--format", "human"),
        ("show", "--where", WHERE, "--format", "human"),
    )
    questions = {f"`sparkctl {' '.join(words)}`": ask(state, fleet, *words) for words in commands}
    return _page(nodes, days, counts, weights, questions)


def _page(nodes: int, days: int, counts: dict[str, int], weights: dict[str, int], questions: dict[str, Spread]) -> str:
    blobs = weights.pop("documents", 0)
    rows = [[part, f"{size / 2**20:,.0f}"] for part, size in sorted(weights.items(), key=lambda row: -row[1])]
    rest = Spread.of([sum(weights.values()) / 2**20])
    aims = [Aim("the database without documents", rest, MOST_BYTES / 2**20, "MiB")]
    aims += [Aim(question, taken, MOST_SECONDS, "s") for question, taken in questions.items()]
    said = ", ".join(f"{number:,} {what}" for what, number in counts.items())
    return "\n\n".join(
        (
            table(["", ""], machine.describe()),
            f"{nodes:,} nodes, {days} days: {said}.",
            table(["table", "MiB"], [*rows, ["documents", f"{blobs / 2**20:,.0f}"]]),
            table(["what", "aim", "measured", ""], [aim.row() for aim in aims]),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
