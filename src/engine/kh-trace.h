/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define KH_TYPE_EVENT (kh_event_get_type ())
G_DECLARE_FINAL_TYPE (KhEvent, kh_event, KH, EVENT, GObject)

gint64      kh_event_get_time    (KhEvent *self);
const char *kh_event_get_kind    (KhEvent *self);
JsonObject *kh_event_get_members (KhEvent *self);
char       *kh_event_to_line     (KhEvent *self);

#define KH_TRACE_MAX_EVENTS 20000

#define KH_TYPE_TRACE (kh_trace_get_type ())
G_DECLARE_FINAL_TYPE (KhTrace, kh_trace, KH, TRACE, GObject)

/**
 * KhEventFunc:
 * @event: something that happened
 * @user_data: what was given with it
 */
typedef void (*KhEventFunc) (KhEvent *event, gpointer user_data);

KhTrace *kh_trace_new        (void);
gint64   kh_trace_now        (KhTrace *self);
void     kh_trace_add        (KhTrace *self, const char *kind, const char *spec, ...);
void     kh_trace_foreach    (KhTrace *self, guint position, guint count, KhEventFunc func, gpointer user_data);
char    *kh_trace_to_lines   (KhTrace *self);
char    *kh_trace_to_report  (KhTrace *self);
KhTrace *kh_trace_from_lines (const char *text, gsize length, GError **error);

G_END_DECLS
