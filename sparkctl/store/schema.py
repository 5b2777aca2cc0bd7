"""The tables. Only types and constraints that SQLite and PostgreSQL both know."""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

SCHEMA_VERSION = 8
"""Raised whenever a table changes in a way that an older sparkctl would misread."""

OLDEST_VERSION = 5
"""Stores from this version on are brought to ours when they are opened."""


class UtcMoment(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no zone, so it is taken off on the way in and put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Bring a moment with a zone to UTC; a moment without one is a bug and raises ValueError."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Give the moment its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite numbers rows only under the exact type INTEGER; elsewhere a sweep an hour of 10,000 nodes needs 64 bits.
RowId = BigInteger().with_variant(Integer(), "sqlite")
Digest = String(64)
Code = String(40)

metadata = MetaData()

meta = Table("meta", metadata, Column("key", String(40), primary_key=True), Column("value", Text, nullable=False))

# Content by its SHA-256: `size` bytes once decompressed. Nothing in here is ever changed.
documents = Table(
    "documents",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("sha256", Digest, nullable=False, unique=True),
    Column("codec", Code, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

# `id` grows in the order in which runs began; a bastion's clock may go backwards, this order does not.
runs = Table(
    "runs",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("run_id", String(120), nullable=False, unique=True),
    Column("kind", Code, nullable=False),
    Column("tool", String(120), nullable=False),
    Column("state", Code, nullable=False, index=True),
    Column("started_at", UtcMoment, nullable=False),
    Column("finished_at", UtcMoment),
    Column("selector", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("program_sha256", String(120), nullable=False),
    Column("shard", String(20)),
    Column("resumes", String(120)),
    Column("selected", BigInteger, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("host", String(255), nullable=False),
    Column("report", RowId, ForeignKey("documents.id")),
)

nodes = Table(
    "nodes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("node_id", String(253), nullable=False, unique=True),
)

# A year of hourly sweeps of 10,000 nodes has 88 million of these rows: numbers only, and no index beside the key.
# `at_s` counts seconds from the start of the run. `vector` says how the visit ended and, by digest, what held; nodes
# and days that are alike share it. `record` is the whole run record, null once it was let go.
visits = Table(
    "visits",
    metadata,
    Column("run", RowId, ForeignKey("runs.id"), primary_key=True, autoincrement=False),
    Column("node", RowId, ForeignKey("nodes.id"), primary_key=True, autoincrement=False),
    Column("at_s", BigInteger, nullable=False),
    Column("vector", RowId, ForeignKey("documents.id"), nullable=False),
    Column("record", RowId, ForeignKey("documents.id")),
    sqlite_with_rowid=False,
)

# What holds now, by part (`health` or a facet), since which run, and by which run a facet was seen last.
standings = Table(
    "standings",
    metadata,
    Column("node", RowId, ForeignKey("nodes.id"), primary_key=True, autoincrement=False),
    Column("part", Code, primary_key=True),
    Column("run", RowId, ForeignKey("runs.id"), nullable=False),
    Column("seen", RowId, ForeignKey("runs.id"), nullable=False),
    Column("document", RowId, ForeignKey("documents.id"), nullable=False),
    Index("standings_by_part", "part", "document"),
    sqlite_with_rowid=False,
)

# What held before: from the run that first saw it to the run that saw something else.
spans = Table(
    "spans",
    metadata,
    Column("node", RowId, ForeignKey("nodes.id"), primary_key=True, autoincrement=False),
    Column("part", Code, primary_key=True),
    Column("run", RowId, ForeignKey("runs.id"), primary_key=True, autoincrement=False),
    Column("until_run", RowId, ForeignKey("runs.id"), nullable=False),
    Column("document", RowId, ForeignKey("documents.id"), nullable=False),
    Index("spans_by_end", "until_run"),
    sqlite_with_rowid=False,
)

# What no two machines may share (`model/facets/individual.py`), of the identity that holds now: a node for each value.
identifiers = Table(
    "identifiers",
    metadata,
    Column("field", String(80), primary_key=True),
    Column("value", Text, primary_key=True),
    Column("node", RowId, ForeignKey("nodes.id"), primary_key=True, autoincrement=False),
    Index("identifiers_by_node", "node"),
    sqlite_with_rowid=False,
)

# The ledger of contacts: each boot of a node in which it answered, when it did first and last, and what that boot had
# armed at the last contact (JSON, `model/witnesses.py`), so that its own end can be told.
contacts = Table(
    "contacts",
    metadata,
    Column("node", RowId, ForeignKey("nodes.id"), primary_key=True, autoincrement=False),
    Column("boot_id", String(36), primary_key=True),
    Column("first_at", UtcMoment, nullable=False),
    Column("last_at", UtcMoment, nullable=False),
    Column("witnesses", Text),
    sqlite_with_rowid=False,
)

# A row for each check that came out otherwise than in the node's report before.
changes = Table(
    "changes",
    metadata,
    Column("node", RowId, ForeignKey("nodes.id"), primary_key=True, autoincrement=False),
    Column("run", RowId, ForeignKey("runs.id"), primary_key=True, autoincrement=False),
    Column("check_id", String(80), primary_key=True),
    Column("previous", Code, nullable=False),
    Column("current", Code, nullable=False),
    Column("reason", Code),
    Column("summary", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What is wrong and who is told of it: conditions of single nodes and roll-ups of them (`form`), as JSON of
# `model/alert_book.py`. `seen_at` is when a condition was last so, apart, since that is all that most runs change.
alerts = Table(
    "alerts",
    metadata,
    Column("fingerprint", Digest, primary_key=True),
    Column("form", Code, nullable=False),
    Column("seen_at", UtcMoment),
    Column("resolved_at", UtcMoment, index=True),
    Column("body", Text, nullable=False),
)

# All that happened to alerts, in the order in which it did (`model/alert.py`).
alert_changes = Table(
    "alert_changes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("fingerprint", Digest, nullable=False, index=True),
    Column("at", UtcMoment, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

alert_mutes = Table(
    "alert_mutes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("ends_at", UtcMoment, nullable=False),
    Column("body", Text, nullable=False),
)

# The runs that alerts have been told of, or never will be.
alert_runs = Table(
    "alert_runs",
    metadata,
    Column("run", RowId, ForeignKey("runs.id"), primary_key=True, autoincrement=False),
)

# What is to leave the bastion. A body that the store has anyway (a run record, a report) is referred to; any other is
# in `content`, packed as documents are, and goes with its row.
events = Table(
    "events",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("event_id", Digest, nullable=False, unique=True),
    Column("at", UtcMoment, nullable=False),
    Column("kind", Code, nullable=False),
    Column("severity", Code, nullable=False),
    Column("node_id", String(253)),
    Column("summary", Text, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("body_schema", String(120), nullable=False),
    Column("body_sha256", Digest, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("body", RowId, ForeignKey("documents.id"), index=True),
    Column("content", LargeBinary),
)

# A row for each event and sink: `waiting`, `delivered` or `dead`. `due_at` is when it may be tried, and of one that is
# settled when that was. Who has the `lease` is sending it, until `leased_until` at most.
outbox = Table(
    "outbox",
    metadata,
    Column("sink", String(40), primary_key=True),
    Column("event", RowId, ForeignKey("events.id"), primary_key=True, autoincrement=False),
    Column("state", Code, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("put_at", UtcMoment, nullable=False),
    Column("due_at", UtcMoment, nullable=False),
    Column("lease", String(40)),
    Column("leased_until", UtcMoment),
    Column("why", Text),
    Index("outbox_by_state", "sink", "state", "due_at", "event"),
    Index("outbox_by_event", "event"),
    sqlite_with_rowid=False,
)

# What is remembered of a sink beside its rows. `untold` of the `dropped` events have not been told of yet.
sinks = Table(
    "sinks",
    metadata,
    Column("sink", String(40), primary_key=True),
    Column("failures", BigInteger, nullable=False, default=0),
    Column("next_at", UtcMoment),
    Column("last_success_at", UtcMoment),
    Column("last_error_at", UtcMoment),
    Column("last_error", Text),
    Column("dropped", BigInteger, nullable=False, default=0),
    Column("untold", BigInteger, nullable=False, default=0),
)

# Runs of playbooks. `plan` is the document that was approved; what became of it is in `journal` alone. `fence` numbers
# the processes that have driven the run: who holds an older one may neither write nor act. The lease ends by itself.
playbook_runs = Table(
    "playbook_runs",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("run_id", String(120), nullable=False, unique=True),
    Column("playbook", String(120), nullable=False),
    Column("planned_at", UtcMoment, nullable=False),
    Column("plan_sha256", Digest, nullable=False),
    Column("plan", RowId, ForeignKey("documents.id"), nullable=False),
    Column("ended_at", UtcMoment, index=True),
    Column("fence", BigInteger, nullable=False, default=0),
    Column("holder", Text),
    Column("leased_until", UtcMoment),
)

# All that happened in a run of a playbook, each record chained to the one before it; never changed.
journal = Table(
    "journal",
    metadata,
    Column("run", RowId, ForeignKey("playbook_runs.id"), primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("sha256", Digest, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Signatures over the hash of a plan.
approvals = Table(
    "approvals",
    metadata,
    Column("run", RowId, ForeignKey("playbook_runs.id"), primary_key=True, autoincrement=False),
    Column("fingerprint", String(120), primary_key=True),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Nodes that a run of a playbook has in hand: one run at a time, which gives them back when it ends. `fence` grows with
# every taking of a node and is never given out twice.
node_fences = Table(
    "node_fences",
    metadata,
    Column("node", RowId, ForeignKey("nodes.id"), primary_key=True, autoincrement=False),
    Column("fence", BigInteger, nullable=False),
    Column("run", RowId, ForeignKey("playbook_runs.id"), index=True),
)

# The book of custody (`model/ledger.py`): a chain of entries, each with the digest of the one before it.
ledger = Table(
    "ledger",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("sha256", Digest, nullable=False, unique=True),
    Column("kind", Code, nullable=False),
    Column("node_id", String(253), index=True),
    Column("body", Text, nullable=False),
    Column("signature", Text),
)

# Roots over the first `size` entries of the ledger, with the signatures of those who saw them (JSON).
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("signatures", Text, nullable=False),
)
