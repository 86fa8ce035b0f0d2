"""YAML into checked values; every mistake with file, line, column and remedy."""
