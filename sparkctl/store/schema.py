"""The tables. Only types and constraints that SQLite and PostgreSQL both know."""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

SCHEMA_VERSION = 2
"""Raised whenever a table changes in a way that an older sparkctl would misread."""


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
    Column("sha256", Digest, primary_key=True),
    Column("codec", Code, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("run_id", String(120), nullable=False, unique=True),
    Column("tool", String(120), nullable=False),
    Column("state", Code, nullable=False, index=True),
    Column("started_at", UtcMoment, nullable=False),
    Column("finished_at", UtcMoment),
    Column("selector", Text, nullable=False),
    Column("program_sha256", String(120), nullable=False),
    Column("shard", String(20)),
    Column("resumes", String(120)),
    Column("selected", BigInteger, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("host", String(255), nullable=False),
    Column("report_sha256", Digest, ForeignKey("documents.sha256")),
)

# `id` grows in the order in which records were stored; a bastion's clock may go backwards, this order does not.
records = Table(
    "records",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("run_id", String(120), ForeignKey("runs.run_id"), nullable=False),
    Column("node_id", String(253), nullable=False),
    Column("ts", UtcMoment, nullable=False),
    Column("outcome", Code, nullable=False),
    Column("stage", Code),
    Column("cause", Code),
    Column("worst", Code),
    Column("completeness", Float),
    Column("origin", Code),
    Column("document_sha256", Digest, ForeignKey("documents.sha256"), nullable=False),
    Column("verdict_sha256", Digest, ForeignKey("documents.sha256")),
    UniqueConstraint("run_id", "node_id"),
    Index("records_by_node", "node_id", "id"),
)

# The verdict of a node's last report: compared with the next one, it tells in one look whether anything changed.
standings = Table(
    "standings",
    metadata,
    Column("node_id", String(253), primary_key=True),
    Column("verdict_sha256", Digest, ForeignKey("documents.sha256"), nullable=False),
)

# A row for each check that came out otherwise than in the node's report before.
changes = Table(
    "changes",
    metadata,
    Column("record_id", RowId, ForeignKey("records.id"), primary_key=True, autoincrement=False),
    Column("check_id", String(80), primary_key=True),
    Column("node_id", String(253), nullable=False),
    Column("previous", Code, nullable=False),
    Column("current", Code, nullable=False),
    Column("reason", Code),
    Column("summary", Text, nullable=False),
    Index("changes_by_node", "node_id", "record_id"),
)
