/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * KhInquiry:
 *
 * What questions by datagrams have in common: they are asked again, and end with an answer, at a deadline or when the
 * asker cancels. Lies in the state of the question; its members are its own.
 */
typedef struct
{
  GTask *task;
  GSource *over;
  GSource *again;
  guint delay_ms;
  GPtrArray *listening; /* of GSource */
  GSourceFunc send;
  gpointer data;
} KhInquiry;

void     kh_inquiry_begin  (KhInquiry         *self,
                            GTask             *task,
                            guint              patience_ms,
                            GSourceFunc        over,
                            gpointer           data);
GSocket *kh_inquiry_socket (KhInquiry         *self,
                            GInetAddress      *local,
                            GSocketSourceFunc  heard,
                            GError           **error);
void     kh_inquiry_watch  (KhInquiry         *self,
                            GSource           *source,
                            GSourceFunc        heard);
void     kh_inquiry_repeat (KhInquiry         *self,
                            GSourceFunc        send);
GTask   *kh_inquiry_end    (KhInquiry         *self);

G_END_DECLS
