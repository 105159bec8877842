"""Moving a whole instance from SQLite to PostgreSQL: the mark on what is left, the tables, the copy, the comparison."""
