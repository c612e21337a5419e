"""Commands that measure: accuracy, speed, memory. Each prints what it saw beside a yardstick."""
