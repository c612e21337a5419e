"""A self-hosted transcription daemon: sound in by file, socket or RTP, JSON out."""

__version__ = "0.1.0"
