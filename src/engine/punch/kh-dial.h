/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "kh-port.h"

G_BEGIN_DECLS

#define KH_TYPE_DIALER (kh_dialer_get_type ())
G_DECLARE_INTERFACE (KhDialer, kh_dialer, KH, DIALER, GObject)

/**
 * KhDialFlags:
 * @KH_DIAL_FROM_SHARED: from the port that all sockets of the punch share
 * @KH_DIAL_FROM_FRESH: from a port that the system chooses, so that our router takes another one as well
 * @KH_DIAL_NEAR: to the own network
 * @KH_DIAL_AS_PRIMER: only to open the holes of our own routers
 * @KH_DIAL_LASTING: for as long as it waits, not only for the first two seconds
 *
 * How to dial.
 */
typedef enum
{
  KH_DIAL_FROM_SHARED = 0,
  KH_DIAL_FROM_FRESH = 1 << 0,
  KH_DIAL_NEAR = 1 << 1,
  KH_DIAL_AS_PRIMER = 1 << 2,
  KH_DIAL_LASTING = 1 << 3,
} KhDialFlags;

/**
 * KhDialerAcceptFunc:
 * @dialer: the dialer that listens
 * @stream: (transfer none): a connection that somebody made to us
 * @local: our end
 * @remote: whoever it is
 * @user_data: what was given to kh_dialer_listen()
 */
typedef void (*KhDialerAcceptFunc) (KhDialer *dialer, GIOStream *stream, GInetSocketAddress *local,
                                    GInetSocketAddress *remote, gpointer user_data);

/**
 * KhDialerInterface:
 *
 * Makes the sockets of a race: real ones from the shared port, or scripted ones in tests.
 */
struct _KhDialerInterface
{
  GTypeInterface parent_iface;

  GInetSocketAddress *(*local_for)   (KhDialer *self, GInetSocketAddress *remote, GError **error);
  void                (*dial_async)  (KhDialer *self, GInetSocketAddress *remote, KhDialFlags flags, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data);
  GIOStream          *(*dial_finish) (KhDialer *self, GAsyncResult *result, GError **error);
  gboolean            (*listen)      (KhDialer *self, KhDialerAcceptFunc func, gpointer user_data, GError **error);
  void                (*unlisten)    (KhDialer *self);
  guint               (*get_primer_hops) (KhDialer *self);
};

GInetSocketAddress *kh_dialer_local_for   (KhDialer *self, GInetSocketAddress *remote, GError **error);
void                kh_dialer_dial_async  (KhDialer *self, GInetSocketAddress *remote, KhDialFlags flags, GCancellable *cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data);
GIOStream          *kh_dialer_dial_finish (KhDialer *self, GAsyncResult *result, GError **error);
gboolean            kh_dialer_listen      (KhDialer *self, KhDialerAcceptFunc func, gpointer user_data, GError **error);
void                kh_dialer_unlisten    (KhDialer *self);
guint               kh_dialer_get_primer_hops (KhDialer *self);

#define KH_TYPE_PORT_DIALER (kh_port_dialer_get_type ())
G_DECLARE_FINAL_TYPE (KhPortDialer, kh_port_dialer, KH, PORT_DIALER, GObject)

KhPortDialer *kh_port_dialer_new (KhPort *port, guint primer_hops);

const char *kh_dial_outcome (const GError *error);
gint64      kh_dial_rtt     (GIOStream *stream);

G_END_DECLS
