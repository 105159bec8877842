"""Time: when somebody is open, what is free, and one-to-one sessions booked, moved, offered and held."""
