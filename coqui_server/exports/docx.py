"""A Word document: a title, and each segment as a paragraph after its time.

Word and LibreOffice bring the fonts and shape the text. The file tells them which paragraphs
(`w:bidi`) and runs (`w:rtl`) are right-to-left (ECMA-376 part 1, sections 17.3.1.6 and 17.3.2.30),
and the font of such runs (`cs`).
"""

import io

import docx
from docx.document import Document as WordDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.text.paragraph import Paragraph

from coqui_server.exports.direction import right_to_left, runs
from coqui_server.exports.document import Document, clock

# Fonts that Word has for each script; another reader replaces those that it lacks.
_FONTS = {"ascii": "Arial", "hAnsi": "Arial", "cs": "Arial", "eastAsia": "Malgun Gothic"}
_GREY = RGBColor(0x59, 0x59, 0x59)
_INDENT, _SMALL = Cm(1.8), Pt(9)
_SEGMENT, _TIME = "Segment", "Time"
_LONGEST_PROPERTY = 255
"""Characters that python-docx takes in a property."""


def write(document: Document) -> bytes:
    """The whole .docx file."""
    word = docx.Document()
    word.core_properties.title = document.title[:_LONGEST_PROPERTY]
    word.core_properties.author = ""
    word.core_properties.created = document.when
    _set_styles(word)
    rtl = right_to_left(document.title)
    _add_text(_paragraph(word, "Title", rtl), document.title, rtl)
    _add_time(word.add_paragraph(), document.about)
    for segment in document.segments:
        rtl = right_to_left(segment.text)
        paragraph = _paragraph(word, _SEGMENT, rtl)
        _add_time(paragraph, f"{clock(segment.start)}\t")
        _add_text(paragraph, segment.line, rtl)
    file = io.BytesIO()
    word.save(file)
    return file.getvalue()


def _set_styles(word: WordDocument) -> None:
    """Set the fonts of all styles, and add the styles for segments and times."""
    for fonts in word.styles.element.iter(qn("w:rFonts")):
        fonts.attrib.clear()
        for script, name in _FONTS.items():
            fonts.set(qn(f"w:{script}"), name)
    segment = word.styles.add_style(_SEGMENT, WD_STYLE_TYPE.PARAGRAPH).paragraph_format
    # In a right-to-left paragraph "left" means right, so the time is where the line begins.
    segment.left_indent = _INDENT
    segment.first_line_indent = -_INDENT
    segment.space_after = Pt(4)
    segment.tab_stops.add_tab_stop(_INDENT)
    time = word.styles.add_style(_TIME, WD_STYLE_TYPE.CHARACTER)
    time.font.size = _SMALL
    time.font.color.rgb = _GREY
    # The same size for digits between right-to-left letters; it comes last in the schema.
    size = OxmlElement("w:szCs")
    size.set(qn("w:val"), str(int(_SMALL.pt * 2)))
    time.element.get_or_add_rPr().append(size)


def _paragraph(word: WordDocument, style: str, rtl: bool) -> Paragraph:
    paragraph = word.add_paragraph()
    # By its id: python-docx looks through all styles for a name, which took 3 ms each time.
    paragraph._p.style = style
    if rtl:
        paragraph._p.get_or_add_pPr().append(OxmlElement("w:bidi"))
    return paragraph


def _add_time(paragraph: Paragraph, text: str) -> None:
    paragraph.add_run(text)._r.style = _TIME


def _add_text(paragraph: Paragraph, text: str, rtl: bool) -> None:
    for piece, backwards in runs(text, rtl):
        paragraph.add_run(piece).font.rtl = backwards or None
