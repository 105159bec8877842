"""Mail: a queue of references, rendered when it is sent; calendars, feeds and reminders."""
