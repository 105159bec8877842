"""People and their offices, as the team keeps them, and who speaks for whom."""
