"""What is kept: sessions and their sound, users, and the queue of files."""
