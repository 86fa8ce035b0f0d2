"""Dashboards: their Python source, and what is generated from it and committed."""
