"""Sound on its way to a recogniser: 16 kHz mono int16, levelled, cut to utterances."""
