/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-peer.h"

G_BEGIN_DECLS

#define KH_TYPE_WEB_CLIENT (kh_web_client_get_type ())
G_DECLARE_FINAL_TYPE (KhWebClient, kh_web_client, KH, WEB_CLIENT, GObject)

/**
 * KhWebClientHandlers:
 * @admit: a client asks for the WebSocket; returns %NULL to let it in, or a sentence for the answer 503. Static.
 * @opened: it is in: the first that it can be sent
 * @message: a whole message, text or binary, of at most `max_message` bytes, followed by a NUL that does not count
 * @closed: the connection is over; the last call for this client
 */
typedef struct
{
  const char *(*admit) (KhWebClient *client, gpointer user_data);
  void (*opened) (KhWebClient *client, gpointer user_data);
  void (*message) (KhWebClient *client, const char *text, gsize length, gpointer user_data);
  void (*closed) (KhWebClient *client, gpointer user_data);
} KhWebClientHandlers;

/**
 * KhWebClientLimits:
 * @max_message: bytes of a message, over all its fragments
 * @opening_ms: how long a client may take from its connection to the WebSocket
 * @silence_ms: how long it may then send nothing at all, not even an answer to a ping
 * @settling_ms: how long it may take from the WebSocket until kh_web_client_settle(), whatever it sends; 0 if that is
 *   not asked of it
 */
typedef struct
{
  gsize max_message;
  guint opening_ms;
  guint silence_ms;
  guint settling_ms;
} KhWebClientLimits;

KhWebClient        *kh_web_client_new        (GSocketConnection *connection, const char *path,
                                              const KhWebClientLimits *limits, const KhWebClientHandlers *handlers,
                                              gpointer user_data);
void                kh_web_client_settle     (KhWebClient *self);
void                kh_web_client_send_text  (KhWebClient *self, const char *text);
void                kh_web_client_ping       (KhWebClient *self);
void                kh_web_client_close      (KhWebClient *self, guint code, const char *reason);
void                kh_web_client_drop       (KhWebClient *self);
gboolean            kh_web_client_is_open    (KhWebClient *self);
GInetSocketAddress *kh_web_client_get_remote (KhWebClient *self);

G_END_DECLS
