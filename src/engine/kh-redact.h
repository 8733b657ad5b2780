/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

char     *kh_redact_text (const char *text);
JsonNode *kh_redact_node (JsonNode   *node);

G_END_DECLS
