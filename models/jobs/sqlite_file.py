"""The database of jobs: a file of SQLite, its table, and transactions on one connection."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from models.checkpoints.durable_files import locked
from models.errors import JobStoreError

logger = logging.getLogger(__name__)

# How long to wait for another worker's transaction.
_BUSY_SECONDS = 30.0
# What clients are told, whatever it is; the log has the reason.
_MESSAGE = "The server cannot read or write its background jobs at present."

# What makes each version of the one before it, from an empty file on.
_UPGRADES = (
    """
BEGIN;
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    task TEXT NOT NULL,
    model TEXT NOT NULL,
    fields TEXT NOT NULL,
    metadata TEXT NOT NULL,
    upload TEXT NOT NULL,
    nbytes INTEGER NOT NULL,
    seconds REAL NOT NULL,
    keep_seconds INTEGER NOT NULL,
    digest TEXT NOT NULL,
    idempotency_key TEXT,
    status TEXT NOT NULL DEFAULT 'queued',
    created REAL NOT NULL,
    started REAL,
    ended REAL,
    expires REAL,
    progress INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    worker TEXT,
    turn INTEGER,
    error TEXT
);
CREATE UNIQUE INDEX by_idempotency_key ON jobs (owner, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX by_owner ON jobs (owner, number);
CREATE INDEX by_turn ON jobs (owner, turn);
CREATE INDEX by_status ON jobs (status, crashes, owner, number);
CREATE INDEX by_expiry ON jobs (expires) WHERE expires IS NOT NULL;
PRAGMA user_version = 1;
COMMIT;
""",
    """
BEGIN;
ALTER TABLE jobs ADD COLUMN webhook_url TEXT;
ALTER TABLE jobs ADD COLUMN webhook_text INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN webhook_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN webhook_status INTEGER;
ALTER TABLE jobs ADD COLUMN webhook_error TEXT;
ALTER TABLE jobs ADD COLUMN webhook_due REAL;
ALTER TABLE jobs ADD COLUMN webhook_worker TEXT;
ALTER TABLE jobs ADD COLUMN webhook_host TEXT;
CREATE INDEX by_webhook ON jobs (webhook_due, number, webhook_host, owner, webhook_worker)
    WHERE webhook_due IS NOT NULL AND webhook_worker IS NULL;
CREATE INDEX by_webhook_worker ON jobs (webhook_worker) WHERE webhook_worker IS NOT NULL;
PRAGMA user_version = 2;
COMMIT;
""",
)


class SqliteFile:
    """The file at `path`, which is made if it is not there; threads take turns.

    Raises:
        JobStoreError: the file cannot be opened, or is of a later version.
    """

    def __init__(self, path: Path) -> None:
        self._lock = RLock()
        # One process at a time makes the table, and changes to WAL.
        with _explained(), locked(path.with_name(f"{path.name}.lock")):
            self._database = _connect(path)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction that has the lock for writing; what raises undoes it."""
        with self._lock, _explained():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself after some errors, such as a full disk.
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let no other thread come between what is done in the block."""
        with self._lock:
            yield

    def one(self, query: str, *places: object, **names: object) -> Any:  # noqa: ANN401 - a row
        """The first row of a query, or None."""
        with self._lock, _explained():
            return self._database.execute(query, names or places).fetchone()

    def all(self, query: str, **names: object) -> list[sqlite3.Row]:
        """The rows of a query, or of a change that returns them."""
        with self._lock, _explained():
            return self._database.execute(query, names).fetchall()

    def close(self) -> None:
        """Close it."""
        with self._lock:
            self._database.close()


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    database.row_factory = sqlite3.Row
    # In WAL, FULL is what makes a commit outlive a power cut: clients have been told of it.
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    for upgrade in _UPGRADES[version:]:
        database.executescript(upgrade)
    if version > len(_UPGRADES):
        database.close()
        logger.warning("%s is of a later version of the server: it has to be moved away.", path)
        raise JobStoreError(_MESSAGE)
    return database


@contextmanager
def _explained() -> Iterator[None]:
    """The database's errors as the store's; what they are is logged."""
    try:
        yield
    except sqlite3.Error as error:
        # Of a database that is closed: the server ends.
        if not isinstance(error, sqlite3.ProgrammingError):
            logger.warning("The database of jobs: %s", error)
        raise JobStoreError(_MESSAGE) from error
