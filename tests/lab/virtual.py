# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of knothole-lab have in common."""

import subprocess
import unicodedata


def why_not(lab):
    """Why there can be no virtual internet here; None where there can be one."""
    probe = subprocess.run([lab, "--no-server", "run", "--", "@left", "true"], capture_output=True, text=True)
    if probe.returncode == 0:
        return None
    reason = probe.stderr.strip().splitlines()[-1]
    assert "does not let us" in reason, f"knothole-lab failed: {probe.stderr}"
    return reason


def width_of(text):
    """Columns that a terminal needs for it."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
