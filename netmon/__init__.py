"""netmon: who was reachable when, and why not."""

__version__ = "0.1.0"
