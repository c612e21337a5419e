"""`coqui_server.exports.docx`, read back with python-docx."""

import io

import docx
from docx.document import Document as WordDocument
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from hypothesis import given, settings

from coqui_server.exports import FORMATS, Document
from tests.exports.made import HOSTILE, KOREAN, MIXED, PERSIAN, WHEN, document, documents


def opened(made: Document) -> WordDocument:
    return docx.Document(io.BytesIO(FORMATS["docx"].render(made)))


def is_bidi(paragraph: Paragraph) -> bool:
    return paragraph._p.find(f"{qn('w:pPr')}/{qn('w:bidi')}") is not None


def test_paragraphs() -> None:
    """The title, a line about it, and each segment after its time."""
    word = opened(document("Hello, this is Anna.", KOREAN, title="한국어 voicemail"))
    assert [paragraph.text for paragraph in word.paragraphs] == [
        "한국어 voicemail",
        "2026-11-21 18:27 UTC · 0:10 · moonshine",
        "0:00\tHello, this is Anna.",
        f"0:05\t{KOREAN}",
    ]
    assert word.paragraphs[0].style is not None
    assert word.paragraphs[0].style.name == "Title"
    assert word.core_properties.title == "한국어 voicemail"
    assert word.core_properties.created == WHEN
    assert not any(map(is_bidi, word.paragraphs))


def test_right_to_left() -> None:
    """Persian paragraphs go from right to left, and so do the runs that are not Latin."""
    word = opened(document(MIXED, "Hello سلام دنیا you", title=PERSIAN))
    assert list(map(is_bidi, word.paragraphs)) == [True, False, True, False]
    persian, english = (
        [(run.text, bool(run.font.rtl)) for run in paragraph.runs]
        for paragraph in word.paragraphs[2:]
    )
    assert persian == [
        ("0:00\t", False),
        ("قیمت ", True),
        ("Visual Studio", False),
        (" 2024 چند است؟", True),
    ]
    assert english == [
        ("0:05\t", False),
        ("Hello ", False),
        ("سلام دنیا", True),
        (" you", False),
    ]


def test_fonts() -> None:
    """Every style names a font for Latin, for right-to-left and for Korean letters."""
    fonts = list(opened(document(KOREAN)).styles.element.iter(qn("w:rFonts")))
    assert fonts
    for each in fonts:
        assert each.get(qn("w:cs")) == "Arial"
        assert each.get(qn("w:eastAsia")) == "Malgun Gothic"
        assert each.get(qn("w:asciiTheme")) is None


def test_hostile_text_is_shown() -> None:
    """Markup is text, and a title may be longer than the property that holds it."""
    word = opened(document(HOSTILE, title="x" * 1000))
    assert word.paragraphs[2].text == "0:00\t<b>a & b</b> {nb} --> [31mgnp **c** ]]>"
    assert word.paragraphs[0].text == "x" * 1000


@given(made=documents)
@settings(max_examples=30, deadline=None)
def test_any_text(made: Document) -> None:
    """No text keeps a transcript from being exported."""
    assert len(opened(made).paragraphs) == len(made.segments) + 2
