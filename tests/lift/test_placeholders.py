from __future__ import annotations

from czscie.lift.placeholders import Placeholder, references


def test_an_archive_and_a_file_in_it_are_found_wherever_they_stand() -> None:
    text = "{scie.files:hash.#{cpython}}:#{cpython-3.13:python}/bin"
    assert list(references(text)) == [
        Placeholder("#{cpython}", "cpython", None),
        Placeholder("#{cpython-3.13:python}", "cpython-3.13", "python"),
    ]


def test_what_the_launcher_expands_is_not_ours() -> None:
    assert list(references("{scie} {scie.env.PATH=#} ${{#array} #{{cpython} #{} #{a:b:c}")) == []
