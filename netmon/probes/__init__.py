"""Probes: real packets to real devices; one adapter file per library."""
