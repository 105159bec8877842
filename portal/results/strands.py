"""What the two strands of support and their people are called in figures and reports."""

from portal.models import Strand

STRANDS = {Strand.ONE_TO_ONE: "One-to-one support", Strand.GROUP: "Group support"}
WHOM = {Strand.ONE_TO_ONE: "leaders", Strand.GROUP: "members of groups"}
"""Whom each supports, after a number."""
