"""notevault: a local-first vault for clinical notes."""

__version__ = "0.1.0"
