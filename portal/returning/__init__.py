"""The return of the data at the contract's end: what is due when, each step as people take it, and the freeze."""
