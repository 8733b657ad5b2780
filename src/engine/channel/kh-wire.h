/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _KhWire KhWire;

/**
 * KhWireReadyFunc:
 * @owner: what was given to kh_wire_new()
 *
 * More bytes have come, or the end; only after a kh_wire_read() and never from inside it.
 */
typedef void (*KhWireReadyFunc) (gpointer owner);

KhWire       *kh_wire_new            (GIOStream       *stream,
                                      KhWireReadyFunc  ready,
                                      gpointer         owner);
KhWire       *kh_wire_ref            (KhWire          *self);
void          kh_wire_unref          (KhWire          *self);
GIOStream    *kh_wire_get_stream     (KhWire          *self);
gint64        kh_wire_get_last_heard (KhWire          *self);

void          kh_wire_read           (KhWire          *self,
                                      gsize            wanted);
const guint8 *kh_wire_peek           (KhWire          *self,
                                      gsize           *length);
void          kh_wire_consume        (KhWire          *self,
                                      gsize            length);
gboolean      kh_wire_is_at_end      (KhWire          *self,
                                      const GError   **error);

gboolean      kh_wire_may_write      (KhWire          *self);
gsize         kh_wire_get_queued     (KhWire          *self);
guint8       *kh_wire_reserve        (KhWire          *self,
                                      gsize            length);
void          kh_wire_commit         (KhWire          *self,
                                      gsize            length);

void          kh_wire_shutdown       (KhWire          *self);
void          kh_wire_close          (KhWire          *self);
gboolean      kh_wire_is_closed      (KhWire          *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhWire, kh_wire_unref)

G_END_DECLS
