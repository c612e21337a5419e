"""From samples to transcript events, whatever the source: the part every protocol shares."""
