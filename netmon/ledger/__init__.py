"""The durable account: transitions, outages, seconds by class (SQLite, WAL)."""
