"""Questionnaires, routing, responses, waves and results. Knows a person only as a respondent id.

Read in this order: documents (strict YAML and JSON, plain data to dataclasses), conditions, questions, kinds,
structure, checks, questionnaires, routing, measures, wordings, differences. These are pure: no database, no web
framework, no clock. Then versions and corrections, sittings and responses.
"""
