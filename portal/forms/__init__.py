"""What people fill in: what may be typed, and what is said when it cannot be used. Rules stand elsewhere."""
