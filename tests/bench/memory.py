"""How much memory a process has, and had at the most, in MB of 2^20 bytes; nought once it has ended."""

from pathlib import Path


def share(pid: int) -> float:
    """What it has, its share of pages that others have too."""
    return _read(f"/proc/{pid}/smaps_rollup", "Pss:")


def peak(pid: int | str = "self") -> float:
    """The most that its program has had so far. The system's own count for whoever waits for a process (ru_maxrss)
    begins with what the one had that started it."""
    return _read(f"/proc/{pid}/status", "VmHWM:")


def _read(path: str, name: str) -> float:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024
