"""The few statistics that figures need."""

from math import sqrt

Z_95 = 1.959963984540054
"""The 97.5th percentile of the normal distribution: two-sided 95 %."""


def wilson(count: int, base: int, *, z: float = Z_95) -> tuple[float, float]:
    """The range in which the true share lies with 95 % confidence (Wilson's score interval), 0 to 1.

    It keeps its promise for groups of 15 to 30 and for shares near 0 or 1, where the usual one does not.
    Nobody counted: anything is possible, 0 to 1.
    """
    if not base:
        return 0.0, 1.0
    share = count / base
    centre = share + z * z / (2 * base)
    reach = z * sqrt(share * (1 - share) / base + z * z / (4 * base * base))
    scale = 1 + z * z / base
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)
