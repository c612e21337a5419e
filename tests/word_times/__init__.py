"""When each word of a text was said."""
