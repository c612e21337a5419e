"""What `fpdf2_adapter` overrides in fpdf2 is still there, and still called."""

import inspect

from fpdf import FPDF

from coqui_server.exports.fonts import needed
from coqui_server.exports.fpdf2_adapter import MixedFontsPdf


def test_the_overridden_method() -> None:
    """A method that takes a text first, and the state that its pieces are made of."""
    parameters = list(inspect.signature(FPDF._parse_chars).parameters)
    assert parameters[:2] == ["self", "text"]
    assert callable(FPDF._get_current_graphics_state)


def test_fpdf2_asks_it_for_every_text() -> None:
    """A letter that the line's font lacks comes from another; an accent stays with its letter."""
    text = "a\u0301 سلام"
    fonts = needed(text)
    pdf = MixedFontsPdf()
    pdf.use_fonts(fonts)
    pdf.add_page()
    pdf.set_line_font(fonts[0], 11)
    pieces: list[str] = []
    parse = pdf._parse_chars

    def spy(line: str, *arguments: object, **options: object):  # type: ignore[no-untyped-def]
        for fragment in parse(line, *arguments, **options):
            pieces.append(fragment.string)
            yield fragment

    pdf._parse_chars = spy  # type: ignore[method-assign, assignment]
    pdf.cell(text=text)
    pdf.output()
    assert "".join(pieces).startswith("a\u0301 ")
    assert len(pieces) > 1
    assert any("سلام" in piece for piece in pieces)
