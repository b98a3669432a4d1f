from __future__ import annotations

import pytest

from czscie.lift.image_reference import ImageReference


@pytest.mark.parametrize(
    ("text", "repository", "tag"),
    [
        ("cowsay", "cowsay", "latest"),
        ("cowsay:1.0", "cowsay", "1.0"),
        ("team/cow_say:v1", "team/cow_say", "v1"),
        ("registry.example.com:5000/team/cow--say", "registry.example.com:5000/team/cow--say", "latest"),
        ("localhost/cow", "localhost/cow", "latest"),
    ],
)
def test_a_name_is_read(text: str, repository: str, tag: str) -> None:
    assert ImageReference.parse(text) == ImageReference(repository, tag)


@pytest.mark.parametrize("text", ["", "Cow", "cow say", "cow:", ":1", "a//b", "cow:-x", "cow@sha256:ab", "ü"])
def test_what_engines_do_not_take_is_no_name(text: str) -> None:
    assert ImageReference.parse(text) is None


@pytest.mark.parametrize(
    ("name", "repository"), [("cowsay", "cowsay"), ("My App.py", "my-app-py"), ("ü", "application")]
)
def test_a_lift_has_a_name_for_its_image(name: str, repository: str) -> None:
    reference = ImageReference.of(name)
    assert reference == ImageReference(repository, "latest")
    assert ImageReference.parse(reference.text) == reference


@pytest.mark.parametrize(
    ("text", "familiar"),
    [
        ("cow", "docker.io/library/cow:latest"),
        ("team/cow:1", "docker.io/team/cow:1"),
        ("localhost/cow:1", "localhost/cow:1"),
        ("example.com/cow:1", "example.com/cow:1"),
    ],
)
def test_the_registry_that_is_not_named_is_dockers(text: str, familiar: str) -> None:
    reference = ImageReference.parse(text)
    assert reference is not None and reference.familiar == familiar
