"""From a cut line to the right phone: what Prometheus and Alertmanager are told, as files.

Pure: settings, inventory and the catalogue of texts in, files out. `netmon export` prints them,
`scripts/generate.py` writes the ones that are shipped.
"""
