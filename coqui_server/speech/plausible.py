"""How much speech there must be for a text to be believed.

A recogniser that hears music, ringing or breath makes words up. Seconds of voice for each word tell
them apart, because words take time. In the utterances of 165 recordings of speech, as loud as they
are and 40 dB quieter, `voice` hears 0.16 s a word at the least and 0.25 or more as a rule; in 154
single numbers and letters, 0.2 and more. In 52 utterances that were made up out of music, ringing,
alarms, typing and coughs it was none as a rule and 0.08 at the most, but for a dog's howling (0.19)
and the end of one piece of music (0.3).
"""

import re

_SURE = 0.9
"""The probability of its tokens with which a recogniser is sure of a text. It is no proof: of a
ringing tone it heard "You" with 0.95."""

_REPEATED = re.compile(r"\b(\w.*?)(?:\W+\1){3,}\b", re.IGNORECASE)
"""The same words four times in a row, as of a decoder that goes in circles."""

_CIRCLING = 0.5
"""The share of a text that has to be a repetition for the whole to be in doubt."""


def needed(text: str, confidence: float | None, each: float) -> float:
    """Seconds of voice with which a text is believed; 0 if it is empty.

    It is half as much where the recogniser is sure of the text, and twice as much where that
    repeats itself.

    Args:
        confidence: the mean probability of its tokens; None if the recogniser does not say.
        each: seconds for each word.
    """
    seconds = each * len(text.split())
    if _goes_in_circles(text):
        return 2 * seconds
    return seconds / 2 if confidence is not None and confidence >= _SURE else seconds


def _goes_in_circles(text: str) -> bool:
    repeated = _REPEATED.search(text)
    return repeated is not None and len(repeated[0]) > _CIRCLING * len(text)
