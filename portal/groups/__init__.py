"""Group sessions: their places, waiting lists, learning sets, and the decision whether they take place."""
