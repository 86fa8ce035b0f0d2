"""The exporters that netmon ships, found by the entry point group netmon.exporters."""
