"""An instance moves from SQLite to PostgreSQL, with every row as it lies: sealed values, keys, the audit trail.

    look      it opens, its trail holds, what it holds fits; there is nothing where it goes, or this move's beginning
    mark      nothing begins on the SQLite files any more, in any process; `undo` takes the mark off
    copy      the key store, then the data, in batches that are noted with their rows
    compare   each table is counted and digested on both sides
    settle    there, in one transaction: the row that makes it an instance, and a line of the trail
    end       the files say where the data is

Killed anywhere, the same command goes on. Before `settle` nothing opens the new database, and from `mark` on nothing
the old one: there is never more than one instance.
"""
