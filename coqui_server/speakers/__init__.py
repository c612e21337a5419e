"""Who speaks when: voices in sound, the same ones put together, and their turns. No I/O."""
