"""PURE: samples → health → state → outage. No clock, no socket, no file, no log."""
