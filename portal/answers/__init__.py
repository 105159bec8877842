"""Questionnaires as people meet them: who is asked what and when, and what becomes of what they said."""
