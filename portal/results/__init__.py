"""Figures and files made from what was answered and what was delivered."""
