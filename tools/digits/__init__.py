"""How the digit recogniser in `coqui_server/engines/digits/` is made; see `tools.train_digits`."""

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "oh")
"""All it knows. Sequences are drawn from these, each as often as any other."""

ALPHABET = " " + "".join(sorted(set("".join(WORDS))))
"""The labels of the network's outputs, which another one, the blank, follows."""

WINDOW, STEP = 512, 320
"""Samples of a feature vector and from one to the next (32 ms, 20 ms), Coqui STT's defaults."""

COEFFICIENTS = 26
"""Of a feature vector: MFCCs."""

CONTEXT = 9
"""Feature vectors that the network sees before and after each."""
