"""The echo engine: one socket per address family for all targets."""
