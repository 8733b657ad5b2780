/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _KhServerLog KhServerLog;

KhServerLog *kh_server_log_new        (int fd, gboolean json, gboolean addresses);
void         kh_server_log_free       (KhServerLog *self);
void         kh_server_log_write      (KhServerLog *self, const char *type, const char *spec, ...);
void         kh_server_log_client     (KhServerLog *self, const char *type, const char *service, guint clients,
                                       GInetSocketAddress *address);
void         kh_server_log_dial       (KhServerLog *self, const char *kind, const char *result,
                                       GInetSocketAddress *address);
guint64      kh_server_log_get_missed (KhServerLog *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhServerLog, kh_server_log_free)

G_END_DECLS
