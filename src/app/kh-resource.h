/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Where the templates are in the program. */
#define KH_RESOURCE "/io/github/knothole/Knothole/"
