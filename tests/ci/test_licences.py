"""Which licences pass."""

from __future__ import annotations

from email.message import Message

import pytest

from tests.ci.script import script

licences = script("licences")


def metadata(**fields: str | list[str]) -> Message:
    """A package's metadata, with ``_`` for ``-`` in the names of its fields."""
    made = Message()
    for name, values in fields.items():
        for value in [values] if isinstance(values, str) else values:
            made[name.replace("_", "-")] = value
    return made


@pytest.mark.parametrize(
    "expression",
    [
        "MIT",
        "Apache-2.0 AND MIT",
        "GPL-3.0-or-later OR MIT",
        "Apache-2.0 WITH LLVM-exception",
        "MIT AND (GPL-2.0-only OR BSD-3-Clause) AND Zlib",
        "((MIT))",
        "MPL-2.0",
    ],
)
def test_what_can_be_met(expression: str) -> None:
    """One of several is enough where there is a choice."""
    assert licences.allows(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "GPL-3.0-or-later",
        "AGPL-3.0-only",
        "LGPL-2.1-only",
        "MIT AND GPL-2.0-only",
        "MIT OR GPL-2.0-only AND GPL-3.0-only OR",
        "(GPL-2.0-only OR GPL-3.0-only) AND MIT",
        "GPL-2.0-only WITH Classpath-exception-2.0",
        "Proprietary",
        "LicenseRef-Ours",
        "(MIT",
        "MIT)",
        "MIT MIT",
        "AND",
    ],
)
def test_what_can_not_be_met(expression: str) -> None:
    """Nor what can't be read."""
    assert not licences.allows(expression)


def test_the_expression_counts_before_the_field_and_that_before_the_classifiers() -> None:
    """What they say in words of their own is put into those of SPDX."""
    classifiers = ["License :: OSI Approved :: Apache Software License", "Topic :: Text"]
    assert licences.told(metadata(License_Expression="MIT", License="GPL", Classifier=classifiers)) == "MIT"
    assert licences.told(metadata(License="Apache 2.0", Classifier=classifiers)) == "Apache-2.0"
    assert licences.told(metadata(Classifier=classifiers)) == "Apache-2.0"


def test_a_whole_licence_in_the_field_is_not_read() -> None:
    """The classifiers are, then."""
    fields = metadata(
        License="Copyright us\n Permission is granted", Classifier="License :: OSI Approved :: BSD License"
    )
    assert licences.told(fields) == "BSD-3-Clause"


def test_several_classifiers_all_count() -> None:
    """They do not say whether there is a choice."""
    both = ["License :: OSI Approved :: MIT License", "License :: OSI Approved :: GNU General Public License (GPL)"]
    said = licences.told(metadata(Classifier=both))
    assert said == "MIT AND GNU General Public License (GPL)"
    assert not licences.allows(said)


def test_a_package_that_tells_nothing_is_objected_to() -> None:
    """Somebody has to look."""
    assert licences.objection("new", "") == "new: the licence is not told"
    assert licences.objection("new", "GPL-3.0-only") == "new: the licence GPL-3.0-only"
    assert licences.objection("new", "MIT") is None


@pytest.mark.parametrize("name", sorted(licences.JUDGED))
def test_a_judgement_holds_as_long_as_the_metadata_say_the_same(name: str) -> None:
    """And each has its reason."""
    judgement = licences.JUDGED[name]
    assert judgement.why
    assert licences.objection(name, judgement.told) is None
    assert "judged when it was" in str(licences.objection(name, "Something-Else"))


def test_everything_installed_here_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """As in the checks before a change is taken in."""
    assert licences.main() == 0, capsys.readouterr().out
