"""Files that were uploaded, transcribed one after another for each user."""
