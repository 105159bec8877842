"""Those who deliver: what they bring, whether they are cleared, what ties them, whom they serve."""
