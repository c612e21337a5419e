"""A self-hosted transcription daemon: sound in by file, socket or RTP, JSON out."""

from coqui_transcript import __version__

__all__ = ["__version__"]
