"""The speech-to-text plug-ins of frameworks for voice agents, pointed at a daemon of ours."""
