"""What the desk keeps safe: what is held, the trail, keys, backups, and the rights that change data."""
