"""Packages of support: made, agreed, begun, passed on and ended; their goals and their time."""
