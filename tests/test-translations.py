#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each translation has all the texts of the sources and no others: test-translations.py SOURCE-DIRECTORY"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import programs

SOURCE = pathlib.Path(sys.argv[1])
LISTED = (SOURCE / "po/POTFILES").read_text().split()
LANGUAGES = (SOURCE / "po/LINGUAS").read_text().split()
# As meson's preset for GLib has it.
KEYWORDS = ["_", "N_", "C_:1c,2", "NC_:1c,2", "ngettext:1,2", "g_dngettext:2,3", "g_dpgettext2:2c,3"]


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, cwd=SOURCE, **more)


def extract(template):
    result = run("xgettext", "--from-code=UTF-8", "--output", template, *(f"--keyword={word}" for word in KEYWORDS), *LISTED)
    assert result.returncode == 0, result.stderr


def check(translation):
    """Nothing is missing, untranslated, fuzzy, or no longer asked for."""
    result = run("msgfmt", "--check", "--output-file=/dev/null", translation)
    assert result.returncode == 0, result.stderr
    with tempfile.TemporaryDirectory() as directory:
        template = f"{directory}/knothole.pot"
        extract(template)
        result = run("msgcmp", translation, template)
        assert result.returncode == 0 and not result.stderr, result.stderr
    assert "#~ " not in (SOURCE / translation).read_text(), "what is no longer asked for is still there"


def test_listed():
    """What has texts is looked through for them."""
    found = [str(path.relative_to(SOURCE)) for path in sorted((SOURCE / "src").rglob("*.[cu]*"))
             if re.search(r'\b[NC]?C?_ \(\s*"|translatable="yes"|\bngettext \(', path.read_text())]
    assert set(found) <= set(LISTED), f"not in po/POTFILES: {sorted(set(found) - set(LISTED))}"


def test_the_test():
    """What is wrong is found."""
    good = (SOURCE / f"po/{LANGUAGES[0]}.po").read_text()
    text, value = re.search(r'\nmsgid "(Not known)"\nmsgstr "(.+)"\n', good).groups()
    for bad in (good.replace(f'"{text}"', '"Not known at all"'), good.replace(f'msgstr "{value}"', 'msgstr ""'),
                good.replace(f'msgid "{text}"', f'#, fuzzy\nmsgid "{text}"'), good + '\nmsgid "Gone"\nmsgstr "没有"\n'):
        with tempfile.NamedTemporaryFile("w", suffix=".po") as file:
            file.write(bad)
            file.flush()
            try:
                check(file.name)
            except AssertionError:
                continue
            raise RuntimeError("a mistake was not found")


CASES = [("what is wrong is found", test_the_test), ("all files are listed", test_listed)]
CASES += [(language, lambda language=language: check(f"po/{language}.po")) for language in LANGUAGES]
sys.exit(programs.run_cases(CASES))
