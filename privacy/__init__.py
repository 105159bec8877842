"""The floor: what every table and every change must have.

Clock, table base, unit of work, keys, sealed columns, audit, register of holdings. Knows nothing of
questionnaires, bookings or HTTP.
"""
