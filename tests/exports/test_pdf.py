"""`coqui_server.exports.pdf`, read back and drawn with PDFium."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pypdfium2 as pdfium
import pytest
from hypothesis import given, settings
from pypdfium2 import raw

from coqui_server.exports import FORMATS, Document
from coqui_server.exports.document import INVISIBLE
from tests.exports.made import HOSTILE, KOREAN, MIXED, PERSIAN, document, documents

INDENT = (20 + 18) / 25.4 * 72
"""Points from the left edge to the text of a segment that begins there."""


def opened(made: Document) -> pdfium.PdfDocument:
    return pdfium.PdfDocument(FORMATS["pdf"].render(made))


def text(pdf: pdfium.PdfDocument) -> str:
    pages = (page.get_textpage().get_text_range() for page in pdf)
    return "\n".join(pages)


def letters(text: str) -> Counter[str]:
    return Counter(letter for letter in text if not letter.isspace() and letter not in INVISIBLE)


def boxes(pdf: pdfium.PdfDocument) -> dict[str, tuple[float, float, float, float]]:
    """Left, bottom, right and top (points) of each letter, of several alike the last."""
    page = pdf[0].get_textpage()
    return {
        chr(raw.FPDFText_GetUnicode(page, index)): page.get_charbox(index)
        for index in range(page.count_chars())
    }


def test_text_is_there() -> None:
    """Every letter can be copied out again, whatever its script, and none is replaced."""
    said = [PERSIAN, KOREAN, MIXED, "Hello, café, Привет", "שלום 😀 नमस्ते"]
    made = document(*said, title="گزارش")
    wanted = "".join([made.title, made.about, *said, "0:000:050:100:150:201"])
    assert letters(text(opened(made))) == letters(wanted)


def test_words_can_be_searched() -> None:
    """Persian words come back as they are read, Latin ones in them too.

    Those with ligatures, such as lam-alef, do not: PDFium gives their letters the wrong way round.
    """
    found = text(opened(document("این جمله در Visual Studio است")))
    for word in ("این", "جمله", "در", "Visual", "Studio", "است"):
        assert word in found


def test_fonts_are_embedded() -> None:
    """A reader needs no fonts of its own."""
    pdf = opened(document(PERSIAN, KOREAN, "Hello"))
    embedded = [
        raw.FPDFFont_GetIsEmbedded(raw.FPDFTextObj_GetFont(piece.raw))
        for piece in pdf[0].get_objects([raw.FPDF_PAGEOBJ_TEXT])
    ]
    assert len(embedded) > 3
    assert set(embedded) == {1}


def test_order_from_right_to_left() -> None:
    """A Persian line begins at the right; Latin letters and digits in it go to the right."""
    at = boxes(opened(document("قد Bok است ۳۷", title="x")))
    order = [at[letter][0] for letter in "قدkBست۷۳"]
    assert all(one > two for one, two in pairwise(order))
    page = pdfium.PdfDocument(FORMATS["pdf"].render(document("قد")))[0]
    assert at["ق"][2] == pytest.approx(page.get_width() - INDENT, abs=1.5)


def test_order_from_left_to_right() -> None:
    """An English line begins at the left, and a Persian word in it goes from right to left."""
    at = boxes(opened(document("Xyz قد W", title="a")))
    order = [at[letter][0] for letter in "XyzدقW"]
    assert all(one < two for one, two in pairwise(order))
    assert at["X"][0] == pytest.approx(INDENT, abs=1)


def ink(made: Document) -> np.ndarray:
    """Whether each column of the first segment's text has ink; 10 pixels a point."""
    pdf = opened(made)
    page = pdf[0]
    row = [box for letter, box in boxes(pdf).items() if letter in made.segments[0].text]
    left, right = min(box[0] for box in row), max(box[2] for box in row)
    low, high = min(box[1] for box in row), max(box[3] for box in row)
    crop = (left, low, page.get_width() - right, page.get_height() - high)
    drawn = page.render(scale=10, crop=crop).to_numpy()
    return np.asarray((drawn.min(axis=(0, 2)) < 128)[5:-5])


def test_letters_are_joined() -> None:
    """Letters of one Persian word touch; the joiner that is none keeps them apart."""
    assert ink(document("سیبسیب")).all()
    assert not ink(document("سیب\u200cسیب")).all()


def test_accents_are_above() -> None:
    """A mark that belongs to a letter is drawn over it, and does not part its word."""
    at = boxes(opened(document("بتّسًا")))
    assert at["ّ"][1] > at["ت"][1]
    assert ink(document("سببّبس")).all()


def test_long_document() -> None:
    """Segments go on over pages in their order; nothing is left out."""
    pdf = opened(document(*(f"Segment number {n} of many." for n in range(150))))
    assert len(pdf) > 4
    found = text(pdf)
    places = [found.index(f"number {n} of") for n in range(150)]
    assert places == sorted(places)


def test_words_without_spaces() -> None:
    """What no line has room for is cut, and stays on the page."""
    pdf = opened(document("가나다라" * 200, "x" * 5000))
    assert letters(text(pdf)) >= letters("가나다라" * 200 + "x" * 5000)
    for page in pdf:
        found = page.get_textpage()
        edges = [found.get_charbox(index)[2] for index in range(found.count_chars())]
        assert max(edges) <= page.get_width() - 20 / 25.4 * 72 + 1


def test_hostile_text_is_shown() -> None:
    """Markup is text; a letter that no font has is shown to be missing."""
    found = text(opened(document(HOSTILE, "\U0001e900")))
    assert "<b>a & b</b> {nb} --> [31mgnp **c** ]]>" in found
    assert "\ufffd" in found


@given(made=documents)
@settings(max_examples=8, deadline=None)
def test_any_text(made: Document) -> None:
    """No text keeps a transcript from being exported."""
    assert len(opened(made)) >= 1
