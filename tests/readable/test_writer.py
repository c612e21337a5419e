"""Capitals at the beginning of sentences, within a text and from one to the next."""

import pytest

from coqui_server.readable.writer import Writer


def finals(language: str | None, *texts: str) -> list[str]:
    """The texts of one session, one after the other."""
    writer = Writer(language)
    return [writer.final(text) for text in texts]


def test_a_sentence_after_a_full_stop_in_the_final_before() -> None:
    """The case of the voice mail that ended with "Monday morning. please bring"."""
    assert finals("en", "See you on Monday morning.", "please bring your card.") == [
        "See you on Monday morning.",
        "Please bring your card.",
    ]


def test_a_sentence_that_goes_on_in_the_next_final() -> None:
    """An engine with punctuation ended the first in the middle of a sentence."""
    texts = ("Hello. I would like", "to see you,", "and soon.", "thank you.")
    assert finals("en", *texts) == [
        "Hello. I would like",
        "to see you,",
        "and soon.",
        "Thank you.",
    ]


def test_an_engine_without_punctuation() -> None:
    """Each utterance begins with a capital; only numbers change otherwise."""
    assert finals("en", "good morning", "it is twenty five dollars", "bye") == [
        "Good morning",
        "It is $25",
        "Bye",
    ]


def test_a_partial_is_written_as_its_final() -> None:
    """With the capital that the final before it calls for, and without being remembered."""
    writer = Writer("en")
    assert writer.partial("it costs") == "It costs"
    assert writer.partial("it costs twenty") == "It costs 20"
    assert writer.final("it costs twenty five dollars.") == "It costs $25."
    assert writer.partial("and then") == "And then"
    assert writer.final("and then,") == "And then,"
    assert writer.partial("we go") == "we go"


def test_an_empty_text_changes_nothing() -> None:
    """The next text still begins the sentence."""
    assert finals("en", "Yes.", "", "no.") == ["Yes.", "", "No."]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("one. two? three! four", "One. Two? Three! Four"),
        ("so do i. please come", "So do I. Please come"),
        ("ask mr. smith or dr. jones", "Ask mr. smith or dr. jones"),
        ("at 3 p.m. please", "At 3 p.m. please"),
        ("well... maybe", "Well... maybe"),
        ('he said "stop!" and left', 'He said "stop!" and left'),
        ("iPhone users. eBay too", "iPhone users. eBay too"),
        ("(perhaps) not", "(Perhaps) not"),
        ("mail bob@example.com. thanks", "Mail bob@example.com. Thanks"),
    ],
)
def test_sentences_within_a_text(text: str, result: str) -> None:
    """Abbreviations, ellipses and names with small letters begin no sentence."""
    assert Writer("en").final(text) == result


@pytest.mark.parametrize(
    ("language", "text", "result"),
    [
        ("fa", "سلام. خوبی؟ بله", "سلام. خوبی؟ بله"),
        ("ko", "안녕하세요. 네", "안녕하세요. 네"),
        ("tr", "iyi günler. ırmak", "İyi günler. Irmak"),
        ("el", "καλημέρα. ναι", "Καλημέρα. Ναι"),
        ("ka", "გამარჯობა", "გამარჯობა"),
        (None, "twenty five. one", "Twenty five. One"),
        ("de", "ich habe fünfundzwanzig Kühe und einen Hund", "Ich habe 25 Kühe und einen Hund"),
        ("de-AT", "neunzehnhundertvierundachtzig", "1984"),
        ("fr", "j'ai vingt et un ans et un chien", "J'ai 21 ans et un chien"),
        ("es", "cuesta tres mil euros, uno de ellos", "Cuesta 3000 euros, uno de ellos"),
        ("it", "ho ventuno anni e un cane", "Ho 21 anni e un cane"),
        ("nl", "ik heb vijfentwintig koeien", "Ik heb 25 koeien"),
        ("pt", "vinte e quatro reais", "24 reais"),
        ("da", "jeg har femogtyve køer", "Jeg har 25 køer"),
    ],
)
def test_other_languages(language: str | None, text: str, result: str) -> None:
    """Numbers where text2num knows the words, capitals where the script has them."""
    assert Writer(language).final(text) == result
