"""What is asked once before it is done: a rule names its question, and whoever acts has answered that one or not."""

from collections.abc import Callable

Sure = Callable[[str], bool]
"""Whether the answer to a question is yes. A rule asks it with the words that it would refuse with."""


def unsure(question: str) -> bool:
    """Nobody was asked."""
    return False
