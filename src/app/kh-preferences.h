/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "kh-settings.h"

G_BEGIN_DECLS

KhSettings *kh_preferences_to_settings    (GSettings   *preferences);
const char *kh_preferences_check_mailbox  (const char  *text);
const char *kh_preferences_check_stun     (const char  *text);
char      **kh_preferences_split_stun     (const char  *text);
gboolean    kh_preferences_warn_about     (const char  *mailbox_url);

G_END_DECLS
