"""A transcript, its JSON and its subtitles: what the daemon and its client share."""
