"""The Flask-SQLAlchemy object and nothing else."""

from flask_sqlalchemy import SQLAlchemy

from privacy.records import Record

db = SQLAlchemy(metadata=Record.metadata)
