"""Text as people write it, from text as it was spoken: capitals, numbers, addresses. No I/O."""
