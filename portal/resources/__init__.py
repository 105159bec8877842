"""What the team keeps for sessions and packages: links and files, and where they are shown."""
