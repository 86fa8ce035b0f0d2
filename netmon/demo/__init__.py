"""A toy province on one machine: real packets, no privileges."""
