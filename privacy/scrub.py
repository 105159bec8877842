"""What erasing leaves in the files of a database, and how it goes from there.

SQLite overwrites what it deletes (`secure_delete`), but the write-ahead log keeps the old pages until it is
written back and cut; `VACUUM` rebuilds the file, which takes time with its size: at night. PostgreSQL keeps dead
rows until a vacuum, and its archive until that expires.
"""

from contextlib import closing

from sqlalchemy import Engine

WAIT_MS = 200


def checkpoint(engine: Engine) -> bool:
    """Write SQLite's log back and cut it to nothing; False if a reader was in the way, for the next time.

    On PostgreSQL there is nothing to do at once.
    """
    if engine.dialect.name != "sqlite":
        return True
    # Below the pool's own begin: what a transaction has read would keep its own log from being cut.
    raw = engine.raw_connection()
    try:
        with closing(raw.cursor()) as cursor:
            usual = cursor.execute("pragma busy_timeout").fetchone()[0]
            # It keeps writers out while it waits for readers: rather not now than for long.
            cursor.execute(f"pragma busy_timeout={WAIT_MS}")
            try:
                busy = cursor.execute("pragma wal_checkpoint(truncate)").fetchone()
            finally:
                cursor.execute(f"pragma busy_timeout={usual}")
    finally:
        raw.close()
    return busy is None or not busy[0]


def vacuum(engine: Engine) -> None:
    """Rebuild the file (SQLite), or give dead rows free (PostgreSQL). Takes as long as the data is large."""
    if engine.dialect.name != "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("set statement_timeout = 0")
            try:
                connection.exec_driver_sql("vacuum")
            finally:
                connection.exec_driver_sql("reset statement_timeout")
        return
    # Below the pool's own begin: a file cannot be rebuilt within a transaction.
    raw = engine.raw_connection()
    try:
        with closing(raw.cursor()) as cursor:
            cursor.execute("vacuum")
    finally:
        raw.close()
    checkpoint(engine)
