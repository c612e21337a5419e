"""A Coqui STT scorer that knows a few words, all equally likely, written without Coqui's tools.

A KenLM binary of its trie kind (the file format is KenLM's `lm/binary_format.cc`, `lm/vocab.cc` and
`lm/trie.hh`), Coqui's header, and the words as an OpenFST automaton of letters.
"""

import math
import struct
from collections.abc import Sequence

_MASK = (1 << 64) - 1


def scorer(words: Sequence[str], alphabet: str, alpha: float, beta: float) -> bytes:
    """The bytes of a scorer for these words.

    Args:
        alphabet: the labels of the acoustic model; one of them is the space.
        alpha, beta: the weight of the language model and the bonus of a word by default.
    """
    model = _language_model(words)
    header = struct.pack("<4si?dd", b"EIRT", 6, False, alpha, beta)
    return model + header + _automaton(words, alphabet, len(model) + len(header))


def _language_model(words: Sequence[str]) -> bytes:
    """A KenLM model of order 2 without any bigram."""
    vocabulary = sorted((_murmur(word.encode()), word) for word in (*words, "<s>", "</s>"))
    count = len(vocabulary) + 1
    magic = b"mmap lm http://kheafield.com/code format version 5\n\0".ljust(56, b"\0")
    checks = struct.pack("<3fIIIQ", 0.0, 1.0, -0.5, 1, 0xFFFFFFFF, 0, 1)
    trie, search_version = 2, 1
    parameters = struct.pack("<B3xfI?3xI2Q4x", 2, 1.5, trie, False, search_version, count, 0)
    hashes = struct.pack(f"<{count + 1}Q", count - 1, *(key for key, _ in vocabulary), 0)
    likely = -math.log10(len(words) + 1)
    scores = [-100.0, *(-99.0 if word == "<s>" else likely for _, word in vocabulary)]
    # Negative zero as the cost of backing off says that nothing longer begins with this word.
    unigrams = [struct.pack("<ffQ", score, -0.0, 0) for score in (*scores, 0.0, 0.0)]
    bigrams = bytes((count.bit_length() + 31 + 7) // 8 + 8)
    return magic + checks + parameters + hashes + b"".join(unigrams) + bigrams


def _automaton(words: Sequence[str], alphabet: str, place: int) -> bytes:
    """A tree of letters, each word's path ending in a space, as OpenFST keeps a constant one."""
    tree: list[dict[int, int]] = [{}]
    final = set()
    for word in words:
        state = 0
        for letter in word + " ":
            label = alphabet.index(letter) + 1
            if label not in tree[state]:
                tree[state][label] = len(tree)
                tree.append({})
            state = tree[state][label]
        final.add(state)
    data = struct.pack("<ii5si8siI", 2125659606, 5, b"const", 8, b"standard", 1, 4)
    data += struct.pack("<Qqqq", 0xA5AA5A950001, 0, len(tree), sum(map(len, tree)))
    data += _aligned(place + len(data))
    first = 0
    for state, arcs in enumerate(tree):
        weight = 0.0 if state in final else math.inf
        data += struct.pack("<fIIII", weight, first, len(arcs), 0, 0)
        first += len(arcs)
    data += _aligned(place + len(data))
    for arcs in tree:
        for label, target in sorted(arcs.items()):
            data += struct.pack("<iifi", label, label, 0.0, target)
    return data


def _aligned(place: int) -> bytes:
    return bytes(-place % 16)


def _murmur(key: bytes) -> int:
    """MurmurHash64A (Austin Appleby, public domain) with seed 0, KenLM's key of a word."""
    factor, shift = 0xC6A4A7935BD1E995, 47
    result = len(key) * factor & _MASK
    whole = len(key) // 8 * 8
    for (block,) in struct.iter_unpack("<Q", key[:whole]):
        mixed = block * factor & _MASK
        mixed = (mixed ^ mixed >> shift) * factor & _MASK
        result = (result ^ mixed) * factor & _MASK
    if key[whole:]:
        result = (result ^ int.from_bytes(key[whole:], "little")) * factor & _MASK
    result = (result ^ result >> shift) * factor & _MASK
    return result ^ result >> shift
