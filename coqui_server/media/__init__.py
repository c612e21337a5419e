"""Sound as it arrives (files, codecs, other sample rates) to 16 kHz mono samples."""
