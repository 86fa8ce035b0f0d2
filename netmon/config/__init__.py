"""YAML into checked values; every mistake with file, line, column and remedy."""

from netmon.config.loading import (
    Loaded,
    LoadedAll,
    LoadedSettings,
    check,
    load_all,
    load_inventory,
    load_settings,
)

__all__ = [
    "Loaded",
    "LoadedAll",
    "LoadedSettings",
    "check",
    "load_all",
    "load_inventory",
    "load_settings",
]
