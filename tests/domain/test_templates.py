"""Templates: headings in, sections out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.domain.notes import word_count
from notevault.domain.templates import (
    TEMPLATES,
    is_untouched,
    new_text,
    plan_of,
    sections,
    template_named,
    unwritten,
)
from notevault.errors import UsageFault

SOAP = TEMPLATES["SOAP"]


@pytest.mark.parametrize("name", list(TEMPLATES))
def test_a_new_note_has_its_headings_and_the_cursor_below_the_first(name: str) -> None:
    template = TEMPLATES[name]
    text, cursor = new_text(template)
    assert [line for line in text.split("\n") if line] == list(template.headings)
    assert is_untouched(text, template)
    written = text[:cursor] + "told" + text[cursor:]
    assert not is_untouched(written, template)
    if template.headings:
        assert sections(written, template)[template.headings[0]] == "told"


def test_what_was_written_is_found_under_its_heading() -> None:
    text = "before\nSubjective\nslept badly\n\nPLAN:\ncall on Monday\n## Objective\ntired\nplan\nand walk\n"
    found = sections(text, SOAP)
    assert found == {
        "": "before",
        "Subjective": "slept badly",
        "Plan": "call on Monday\n\nand walk".replace("\n\n", "\n"),
        "Objective": "tired",
    }
    assert unwritten(text, SOAP) == ["Assessment"]
    assert plan_of(text, SOAP) == "call on Monday\nand walk"


def test_a_note_without_headings_has_no_plan() -> None:
    assert plan_of("Plan\nx", TEMPLATES["free"]) == ""
    assert not is_untouched("Plan", TEMPLATES["free"])
    assert is_untouched(" \n", TEMPLATES["free"])


def test_templates_are_named_in_any_case_and_unknown_ones_get_the_list() -> None:
    assert template_named(" soap ") is SOAP
    with pytest.raises(UsageFault) as caught:
        template_named("soup")
    assert "SOAP, DAP, BIRP, free" in caught.value.next_step


@given(st.text(max_size=200), st.sampled_from(list(TEMPLATES)))
def test_no_word_is_lost_between_text_and_sections(text: str, name: str) -> None:
    template = TEMPLATES[name]
    kept = "".join(sections(text, template).values())
    headings = {heading.lower() for heading in template.headings}
    for word in text.split():
        if word.strip("#*: ").lower() not in headings:
            assert word in kept


@pytest.mark.parametrize("name", list(TEMPLATES))
def test_the_headings_of_a_template_are_not_words_that_were_written(name: str) -> None:
    text, cursor = new_text(TEMPLATES[name])
    assert word_count(text, name) == 0
    assert word_count(f"{text[:cursor]}She slept. The plan is rest.{text[cursor:]}", name) == 6
