"""Whether the portal can do its work, for those who run it."""
