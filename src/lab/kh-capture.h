/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _KhCapture KhCapture;

KhCapture *kh_capture_new  (const char *path, GError **error);
void       kh_capture_free (KhCapture *self);
void       kh_capture_add_interface (KhCapture *self, const char *name);
void       kh_capture_write (KhCapture *self, guint interface, gboolean up, const guint8 *packet, gsize length, gint64 time,
                             const char *comment);
gboolean   kh_capture_close (KhCapture *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhCapture, kh_capture_free)

G_END_DECLS
