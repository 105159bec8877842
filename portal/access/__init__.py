"""How people come in: accounts, asking, devices, and what they typed when they could not."""
