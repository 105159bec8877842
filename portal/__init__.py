"""The roof: people, councils, packages, sessions, bookings, mail, reports and pages; the only part that knows HTTP."""
