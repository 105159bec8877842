"""The data protection officer's cases: requests, complaints, freedom of information, incidents (cl 13, 17.5, annex 1).

tables -> rules (what can happen, and when) -> story (state, clocks and steps, computed) -> acts
"""
