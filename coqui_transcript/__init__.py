"""A transcript, its JSON and its subtitles: what the daemon and its client share."""

__version__ = "0.2.0.dev0"
