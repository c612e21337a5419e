"""A self-hosted transcription daemon: sound in by file, socket or RTP, JSON out."""

__version__ = "0.2.0.dev0"
