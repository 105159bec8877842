"""The desk's registers: instructions, personnel, access, evidence, and what the auditor takes along."""
