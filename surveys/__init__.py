"""Questionnaires, routing, responses, waves and results. Knows a person only as a respondent id.

Read in this order: documents (strict YAML, plain data to dataclasses), conditions, questions,
questionnaires, routing, measures. These are pure: no database, no web framework, no clock.
"""
