"""The speech in a stream of samples: raised to one level and cut into utterances."""
