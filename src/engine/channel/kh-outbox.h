/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KH_OUTBOX_MAX_MESSAGES:
 *
 * How many messages may wait to be delivered.
 */
#define KH_OUTBOX_MAX_MESSAGES 4096

/**
 * KH_OUTBOX_MAX_BYTES:
 *
 * How many bytes their frames may have in all.
 */
#define KH_OUTBOX_MAX_BYTES (16 * 1024 * 1024)

/**
 * KH_OUTBOX_MAX_FLIGHT:
 *
 * How many messages may be on their way, sent and not acked.
 */
#define KH_OUTBOX_MAX_FLIGHT 256

/**
 * KH_OUTBOX_MAX_FLIGHT_BYTES:
 *
 * How many bytes may be on their way: less than a channel queues, so that texts alone never fill it. One message
 * may always go.
 */
#define KH_OUTBOX_MAX_FLIGHT_BYTES (1024 * 1024)

typedef struct _KhOutbox KhOutbox;

KhOutbox *kh_outbox_new        (void);
void      kh_outbox_free       (KhOutbox *self);
guint     kh_outbox_get_length (KhOutbox *self);
guint64   kh_outbox_get_next   (KhOutbox *self);
gboolean  kh_outbox_has_room   (KhOutbox *self, gsize length);
void      kh_outbox_add        (KhOutbox *self, GBytes *frame);
GBytes   *kh_outbox_send       (KhOutbox *self);
void      kh_outbox_rewind     (KhOutbox *self);
gboolean  kh_outbox_was_sent   (KhOutbox *self, guint64 id);
guint64   kh_outbox_pop        (KhOutbox *self, guint64 id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhOutbox, kh_outbox_free)

G_END_DECLS
