"""What a daemon loses while everything around it goes wrong."""
