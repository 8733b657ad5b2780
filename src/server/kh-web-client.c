/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "kh-web-client"

#include "kh-web-client.h"

#include "kh-quota.h"
#include "kh-websocket.h"

#include <string.h>

/* A client from its HTTP request to the end of its WebSocket.
 *
 *   ASKING ── request good ──▶ OPEN ── Close sent ──▶ ENDING
 *     └─── refused ───────────────────────────────────▲
 *
 * Frames are counted, not only messages: empty fragments and pings cost work as well. */

#define FRAME_BURST 1000
#define FRAMES_PER_SECOND 200

typedef enum
{
  ASKING,
  OPEN,
  ENDING,
} State;

struct _KhWebClient
{
  GObject parent_instance;

  KhPeer *peer;
  const char *path; /* static */
  KhWebClientLimits limits;
  KhWebClientHandlers handlers;
  gpointer user_data;

  State state;
  gboolean settled;
  GByteArray *message; /* the fragments so far, %NULL between messages */
  KhBucket frames;
};

G_DEFINE_FINAL_TYPE (KhWebClient, kh_web_client, G_TYPE_OBJECT)

static void
kh_web_client_finalize (GObject *object)
{
  KhWebClient *self = KH_WEB_CLIENT (object);

  g_clear_object (&self->peer);
  g_clear_pointer (&self->message, g_byte_array_unref);

  G_OBJECT_CLASS (kh_web_client_parent_class)->finalize (object);
}

static void
kh_web_client_class_init (KhWebClientClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = kh_web_client_finalize;
}

static void
kh_web_client_init (KhWebClient *self)
{
}

static void
send_frame (KhWebClient *self, GBytes *frame)
{
  kh_peer_send (self->peer, g_bytes_get_data (frame, NULL), g_bytes_get_size (frame));
}

static void
refuse (KhWebClient *self, const char *answer)
{
  self->state = ENDING;
  kh_peer_send (self->peer, answer, strlen (answer));
  kh_peer_finish (self->peer);
}

static gsize
take_head (KhWebClient *self, const guint8 *bytes, gsize length)
{
  gssize head = kh_websocket_head_length (bytes, length);
  const char *objection = NULL;
  g_autofree char *answer = NULL;
  guint status;

  if (head == 0)
    return 0;
  if (head < 0)
    {
      kh_peer_close (self->peer);
      return length;
    }

  status = kh_websocket_answer_head (bytes, head, self->path, &answer);
  if (status == 101)
    objection = self->handlers.admit (self, self->user_data);
  if (objection != NULL)
    {
      g_free (answer);
      answer = kh_websocket_refuse_head (503, objection);
    }
  if (status != 101 || objection != NULL)
    {
      refuse (self, answer);
      return length;
    }

  self->state = OPEN;
  kh_peer_send (self->peer, answer, strlen (answer));
  self->settled = self->limits.settling_ms == 0;
  kh_peer_set_deadline (self->peer, self->settled ? self->limits.silence_ms : self->limits.settling_ms);
  self->handlers.opened (self, self->user_data);
  return head;
}

static void
answer_ping (KhWebClient *self, const KhWebsocketFrame *frame)
{
  g_autoptr (GByteArray) payload = g_byte_array_new ();
  g_autoptr (GBytes) pong = NULL;

  kh_websocket_frame_append_to (frame, payload);
  pong = kh_websocket_frame_build (KH_WEBSOCKET_PONG, payload->data, payload->len);
  send_frame (self, pong);
}

static void
take_data (KhWebClient *self, const KhWebsocketFrame *frame)
{
  g_autoptr (GByteArray) whole = NULL;

  if ((self->message != NULL) != (frame->opcode == KH_WEBSOCKET_CONTINUATION))
    {
      kh_web_client_close (self, KH_WEBSOCKET_PROTOCOL_ERROR, "fragments out of order");
      return;
    }
  if (self->message == NULL)
    self->message = g_byte_array_sized_new (frame->length + 1);
  if (self->message->len + frame->length > self->limits.max_message)
    {
      kh_web_client_close (self, KH_WEBSOCKET_TOO_LARGE, "message too large");
      return;
    }
  kh_websocket_frame_append_to (frame, self->message);
  if (!frame->final)
    return;

  whole = g_steal_pointer (&self->message);
  g_byte_array_append (whole, (const guint8 *) "", 1);
  self->handlers.message (self, (const char *) whole->data, whole->len - 1, self->user_data);
}

static void
take_frame (KhWebClient *self, const KhWebsocketFrame *frame)
{
  switch (frame->opcode)
    {
    case KH_WEBSOCKET_PING:
      answer_ping (self, frame);
      break;
    case KH_WEBSOCKET_PONG:
      break;
    case KH_WEBSOCKET_CLOSE:
      kh_web_client_close (self, 1000, "");
      break;
    case KH_WEBSOCKET_CONTINUATION:
    case KH_WEBSOCKET_TEXT:
    case KH_WEBSOCKET_BINARY:
    default:
      take_data (self, frame);
      break;
    }
}

/* Returns how many bytes the next frame had, 0 when it is not whole yet. */
static gsize
take_next (KhWebClient *self, const guint8 *bytes, gsize length)
{
  KhWebsocketFrame frame;
  guint close_code;
  gssize used = kh_websocket_frame_parse (bytes, length, self->limits.max_message, &frame, &close_code);

  if (used == 0)
    return 0;

  if (used < 0)
    kh_web_client_close (self, close_code, close_code == KH_WEBSOCKET_TOO_LARGE ? "message too large" : "broken frame");
  else if (!kh_bucket_take (&self->frames, FRAME_BURST, FRAMES_PER_SECOND, g_get_monotonic_time ()))
    kh_web_client_close (self, KH_WEBSOCKET_POLICY, "too many frames");
  else
    take_frame (self, &frame);

  return used > 0 ? (gsize) used : length;
}

static gsize
on_received (KhPeer *peer, const guint8 *bytes, gsize length, gpointer user_data)
{
  g_autoptr (KhWebClient) self = g_object_ref (user_data);
  gsize done = 0;

  if (self->state == ASKING)
    done = take_head (self, bytes, length);
  else if (self->settled && self->state == OPEN)
    kh_peer_set_deadline (peer, self->limits.silence_ms);

  while (self->state == OPEN && kh_peer_is_open (peer) && done < length)
    {
      gsize used = take_next (self, bytes + done, length - done);

      if (used == 0)
        break;
      done += used;
    }

  return done;
}

static void
on_closed (KhPeer *peer, gpointer user_data)
{
  KhWebClient *self = user_data;

  self->state = ENDING;
  self->handlers.closed (self, self->user_data);
}

/**
 * kh_web_client_new:
 * @connection: an accepted connection
 * @path: the path of the WebSocket; static
 * @limits: copied
 * @handlers: copied
 * @user_data: for @handlers
 *
 * Returns: (transfer full) (nullable): the client, or %NULL when it is gone already. It must stay referenced
 *   until its `closed`, best through a table that `closed` removes it from.
 */
KhWebClient *
kh_web_client_new (GSocketConnection *connection, const char *path, const KhWebClientLimits *limits,
                   const KhWebClientHandlers *handlers, gpointer user_data)
{
  static const KhPeerHandlers peer_handlers = { on_received, on_closed };
  g_autoptr (KhWebClient) self = g_object_new (KH_TYPE_WEB_CLIENT, NULL);

  self->path = path;
  self->limits = *limits;
  self->handlers = *handlers;
  self->user_data = user_data;
  self->peer = kh_peer_new (connection, &peer_handlers, self);
  if (self->peer == NULL)
    return NULL;

  kh_peer_set_deadline (self->peer, limits->opening_ms);
  return g_steal_pointer (&self);
}

/**
 * kh_web_client_settle:
 * @self: a client
 *
 * Says that the client has shown what it came for: from now on only silence ends it. Settling twice is
 * harmless.
 */
void
kh_web_client_settle (KhWebClient *self)
{
  g_return_if_fail (KH_IS_WEB_CLIENT (self));

  if (self->settled || self->state != OPEN)
    return;

  self->settled = TRUE;
  kh_peer_set_deadline (self->peer, self->limits.silence_ms);
}

/**
 * kh_web_client_send_text:
 * @self: a client
 * @text: a message, in UTF-8
 *
 * Sends, or queues; a client that has too much unread is closed.
 */
void
kh_web_client_send_text (KhWebClient *self, const char *text)
{
  g_autoptr (GBytes) frame = NULL;

  g_return_if_fail (KH_IS_WEB_CLIENT (self));

  if (self->state != OPEN)
    return;

  frame = kh_websocket_frame_build (KH_WEBSOCKET_TEXT, text, strlen (text));
  send_frame (self, frame);
}

/**
 * kh_web_client_ping:
 * @self: a client
 *
 * Asks for a sign of life, if it is in.
 */
void
kh_web_client_ping (KhWebClient *self)
{
  g_autoptr (GBytes) frame = NULL;

  g_return_if_fail (KH_IS_WEB_CLIENT (self));

  if (self->state != OPEN)
    return;

  frame = kh_websocket_frame_build (KH_WEBSOCKET_PING, NULL, 0);
  send_frame (self, frame);
}

/**
 * kh_web_client_close:
 * @self: a client
 * @code: a close code
 * @reason: a few words in ASCII
 *
 * Says goodbye; `closed` follows when the connection is over. Closing twice is harmless.
 */
void
kh_web_client_close (KhWebClient *self, guint code, const char *reason)
{
  g_autoptr (GBytes) frame = NULL;

  g_return_if_fail (KH_IS_WEB_CLIENT (self));

  if (self->state != OPEN)
    return;

  g_object_ref (self);
  self->state = ENDING;
  frame = kh_websocket_close_build (code, reason);
  send_frame (self, frame);
  kh_peer_finish (self->peer);
  g_object_unref (self);
}

/**
 * kh_web_client_drop:
 * @self: a client
 *
 * Closes its connection at once, whatever it is doing.
 */
void
kh_web_client_drop (KhWebClient *self)
{
  g_return_if_fail (KH_IS_WEB_CLIENT (self));

  kh_peer_close (self->peer);
}

/**
 * kh_web_client_is_open:
 *
 * Returns: whether the client is in and no goodbye was said
 */
gboolean
kh_web_client_is_open (KhWebClient *self)
{
  return self->state == OPEN;
}

/**
 * kh_web_client_get_remote:
 *
 * Returns: (transfer none): where it comes from
 */
GInetSocketAddress *
kh_web_client_get_remote (KhWebClient *self)
{
  return kh_peer_get_remote (self->peer);
}
