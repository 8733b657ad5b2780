/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define KH_JSON_MAX_DEPTH 16
#define KH_JSON_MAX_SEPARATORS 512

JsonObject *kh_json_parse_object (const char *text, gsize length, GError **error);
JsonObject *kh_json_parse_bytes  (GBytes *bytes, gsize max_length, GError **error);
JsonObject *kh_json_build        (const char *spec, ...);
void        kh_json_add_va       (JsonObject *object, const char *spec, va_list *values);
char       *kh_json_to_text      (JsonObject *object);
GBytes     *kh_json_to_bytes     (JsonObject *object);

const char *kh_json_get_string (JsonObject *object, const char *member);
gboolean    kh_json_get_int    (JsonObject *object, const char *member, gint64 low, gint64 high, gint64 *value);
JsonObject *kh_json_get_object (JsonObject *object, const char *member);
JsonArray  *kh_json_get_array  (JsonObject *object, const char *member);

G_END_DECLS
