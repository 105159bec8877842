"""What the two strands of support and their people are called, on pages, in files, figures and reports."""

from portal.models import Strand

KINDS = {Strand.ONE_TO_ONE: "One-to-one", Strand.GROUP: "Group"}
"""In a column of a table."""
STRANDS = {strand: f"{kind} support" for strand, kind in KINDS.items()}
WHOM = {Strand.ONE_TO_ONE: "leaders", Strand.GROUP: "members of groups"}
"""Whom each supports, after a number."""
