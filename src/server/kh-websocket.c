/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-websocket.h"

#include <string.h>

/* The server's half of RFC 6455, without I/O. Why not libsoup's, which the client uses: its authors do not
 * mean SoupServer for strangers, its WebSocket joins fragments without a limit (CVE-2025-32049), and neither
 * tells how much a client has left unread. */

#define KEY_SUFFIX "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_BYTES 16
#define MAX_HEADERS 100

/**
 * kh_websocket_head_length:
 * @bytes: (array length=length): what came so far
 * @length: bytes in @bytes
 *
 * Finds the end of an HTTP request's head.
 *
 * Returns: its length with the empty line, 0 when more must come, -1 when it is longer than
 *   %KH_WEBSOCKET_MAX_HEAD_BYTES
 */
gssize
kh_websocket_head_length (const guint8 *bytes, gsize length)
{
  gsize seen = MIN (length, KH_WEBSOCKET_MAX_HEAD_BYTES);
  const guint8 *end = memmem (bytes, seen, "\r\n\r\n", 4);

  if (end != NULL)
    return end + 4 - bytes;

  return length < KH_WEBSOCKET_MAX_HEAD_BYTES ? 0 : -1;
}

static const char *
reason_phrase (guint status)
{
  switch (status)
    {
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 426:
      return "Upgrade Required";
    default:
      return "Service Unavailable";
    }
}

/**
 * kh_websocket_refuse_head:
 * @status: an HTTP status: 400, 404, 405, 426 or 503
 * @sentence: what to tell
 *
 * Returns: (transfer full): the whole answer to a request that does not become a WebSocket
 */
char *
kh_websocket_refuse_head (guint status, const char *sentence)
{
  return g_strdup_printf ("HTTP/1.1 %u %s\r\n"
                          "%s"
                          "Content-Type: text/plain; charset=utf-8\r\n"
                          "Content-Length: %zu\r\n"
                          "Connection: close\r\n"
                          "\r\n"
                          "%s\n",
                          status, reason_phrase (status),
                          status == 426 ? "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" : "",
                          strlen (sentence) + 1, sentence);
}

static char *
accept_key (const char *key)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA1);
  guint8 digest[20];
  gsize length = sizeof digest;

  g_checksum_update (checksum, (const guchar *) key, -1);
  g_checksum_update (checksum, (const guchar *) KEY_SUFFIX, -1);
  g_checksum_get_digest (checksum, digest, &length);

  return g_base64_encode (digest, length);
}

static gboolean
is_key (const char *key)
{
  g_autofree guchar *decoded = NULL;
  g_autofree char *again = NULL;
  gsize length;

  if (key == NULL)
    return FALSE;
  decoded = g_base64_decode (key, &length);
  again = g_base64_encode (decoded, length);

  return length == KEY_BYTES && g_str_equal (again, key);
}

/* Whether a header that is a list, such as `Connection: keep-alive, Upgrade`, has an entry. */
static gboolean
has_token (const char *list, const char *token)
{
  g_auto (GStrv) entries = list != NULL ? g_strsplit (list, ",", -1) : NULL;

  for (gsize i = 0; entries != NULL && entries[i] != NULL; i++)
    if (g_ascii_strcasecmp (g_strstrip (entries[i]), token) == 0)
      return TRUE;

  return FALSE;
}

static guint
refuse (guint status, const char *sentence, char **answer)
{
  *answer = kh_websocket_refuse_head (status, sentence);
  return status;
}

static guint
answer_upgrade (GHashTable *headers, char **answer)
{
  const char *key = g_hash_table_lookup (headers, "sec-websocket-key");
  g_autofree char *accepted = NULL;

  if (!has_token (g_hash_table_lookup (headers, "upgrade"), "websocket") ||
      !has_token (g_hash_table_lookup (headers, "connection"), "upgrade") ||
      g_strcmp0 (g_hash_table_lookup (headers, "sec-websocket-version"), "13") != 0)
    return refuse (426, "This is a WebSocket: connect to it with a Knothole or magic-wormhole client.", answer);
  if (!is_key (key))
    return refuse (400, "The request has no usable Sec-WebSocket-Key.", answer);

  accepted = accept_key (key);
  *answer = g_strdup_printf ("HTTP/1.1 101 Switching Protocols\r\n"
                             "Upgrade: websocket\r\n"
                             "Connection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: %s\r\n"
                             "\r\n",
                             accepted);
  return 101;
}

/* Returns the headers by lower-case name, or %NULL if a line is none. The names we look for come once. */
static GHashTable *
parse_headers (char **lines)
{
  g_autoptr (GHashTable) headers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  for (gsize i = 0; lines[i] != NULL && *lines[i] != '\0'; i++)
    {
      const char *colon = strchr (lines[i], ':');

      if (i == MAX_HEADERS || colon == NULL || colon == lines[i] || g_ascii_isspace (*lines[i]))
        return NULL;
      g_hash_table_insert (headers, g_ascii_strdown (lines[i], colon - lines[i]), g_strstrip (g_strdup (colon + 1)));
    }

  return g_steal_pointer (&headers);
}

static gboolean
is_path (const char *target, const char *path)
{
  gsize length = strcspn (target, "?");

  return length == strlen (path) && strncmp (target, path, length) == 0;
}

/**
 * kh_websocket_answer_head:
 * @head: (array length=length): a request's head, as kh_websocket_head_length() measures it
 * @length: bytes in @head
 * @path: the one path that there is
 * @answer: (out): what to answer, whole
 *
 * Answers the opening handshake (RFC 6455, section 4.2). No extension and no subprotocol is taken up:
 * compression costs a hundred kilobytes for each client, for messages that are mostly random.
 *
 * Returns: the answer's status: 101 when the connection is a WebSocket from here on
 */
guint
kh_websocket_answer_head (const guint8 *head, gsize length, const char *path, char **answer)
{
  g_autoptr (GHashTable) headers = NULL;
  g_auto (GStrv) request = NULL;
  g_auto (GStrv) lines = NULL;
  g_autofree char *text = g_strndup ((const char *) head, length);

  if (strlen (text) != length)
    return refuse (400, "This is not HTTP.", answer);

  lines = g_strsplit (text, "\r\n", -1);
  request = g_strsplit (lines[0], " ", -1);
  headers = parse_headers (lines + 1);
  if (headers == NULL || g_strv_length (request) != 3 || !g_str_has_prefix (request[2], "HTTP/1."))
    return refuse (400, "This is not HTTP.", answer);
  if (!is_path (request[1], path))
    return refuse (404, "There is nothing here. A mailbox server's address ends in /v1.", answer);
  if (!g_str_equal (request[0], "GET") || g_str_equal (request[2], "HTTP/1.0"))
    return refuse (405, "A WebSocket begins with GET in HTTP/1.1.", answer);

  return answer_upgrade (headers, answer);
}

static gboolean
is_known (KhWebsocketOpcode opcode)
{
  return opcode <= KH_WEBSOCKET_BINARY || (opcode >= KH_WEBSOCKET_CLOSE && opcode <= KH_WEBSOCKET_PONG);
}

/* The payload's length stands in 7 bits, in 16 or in 64. Returns the bytes before the mask, 0 when more must
 * come. */
static gsize
parse_length (const guint8 *bytes, gsize length, guint64 *payload)
{
  guint8 code = bytes[1] & 0x7f;
  gsize extra = code == 126 ? 2 : code == 127 ? 8 : 0;

  if (length < 2 + extra)
    return 0;

  *payload = extra == 0 ? code : 0;
  for (gsize i = 0; i < extra; i++)
    *payload = *payload << 8 | bytes[2 + i];

  return 2 + extra;
}

/**
 * kh_websocket_frame_parse:
 * @bytes: (array length=length): what a client sent, from a frame's start
 * @length: bytes in @bytes
 * @max_payload: the longest payload that is waited for
 * @frame: (out caller-allocates): the frame; its payload points into @bytes
 * @close_code: (out): why, when the result is -1
 *
 * Reads one frame of a client (RFC 6455, section 5.2). A frame that is not allowed, or too long, is known by
 * its first bytes: nobody can make us wait for the rest.
 *
 * Returns: the frame's length in bytes, 0 when more must come, -1 when the connection cannot go on
 */
gssize
kh_websocket_frame_parse (const guint8 *bytes, gsize length, gsize max_payload, KhWebsocketFrame *frame,
                          guint *close_code)
{
  guint64 payload;
  gsize header;

  if (length < 2)
    return 0;

  frame->opcode = bytes[0] & 0x0f;
  frame->final = (bytes[0] & 0x80) != 0;
  *close_code = KH_WEBSOCKET_PROTOCOL_ERROR;
  if ((bytes[0] & 0x70) != 0 || (bytes[1] & 0x80) == 0 || !is_known (frame->opcode))
    return -1;
  if (frame->opcode >= KH_WEBSOCKET_CLOSE && (!frame->final || (bytes[1] & 0x7f) > KH_WEBSOCKET_MAX_CONTROL_BYTES))
    return -1;

  header = parse_length (bytes, length, &payload);
  if (header == 0)
    return 0;
  if (payload > max_payload)
    {
      *close_code = KH_WEBSOCKET_TOO_LARGE;
      return -1;
    }
  if (length < header + sizeof frame->mask + payload)
    return 0;

  memcpy (frame->mask, bytes + header, sizeof frame->mask);
  frame->payload = bytes + header + sizeof frame->mask;
  frame->length = payload;
  return header + sizeof frame->mask + payload;
}

/**
 * kh_websocket_frame_append_to:
 * @frame: a frame, while the bytes it was parsed from are there
 * @out: where its payload is added, without its mask
 */
void
kh_websocket_frame_append_to (const KhWebsocketFrame *frame, GByteArray *out)
{
  gsize start = out->len;

  g_byte_array_append (out, frame->payload, frame->length);
  for (gsize i = 0; i < frame->length; i++)
    out->data[start + i] ^= frame->mask[i % 4];
}

/**
 * kh_websocket_frame_build:
 * @opcode: a kind of frame
 * @payload: (array length=length): its bytes
 * @length: bytes in @payload
 *
 * Returns: (transfer full): a server's frame, whole and not masked
 */
GBytes *
kh_websocket_frame_build (KhWebsocketOpcode opcode, const void *payload, gsize length)
{
  GByteArray *out = g_byte_array_sized_new (length + 10);
  guint8 header[10] = { 0x80 | opcode };
  gsize extra = length < 126 ? 0 : length <= G_MAXUINT16 ? 2 : 8;

  header[1] = extra == 0 ? length : extra == 2 ? 126 : 127;
  for (gsize i = 0; i < extra; i++)
    header[2 + i] = (guint64) length >> 8 * (extra - 1 - i) & 0xff;
  g_byte_array_append (out, header, 2 + extra);
  if (length > 0)
    g_byte_array_append (out, payload, length);

  return g_byte_array_free_to_bytes (out);
}

/**
 * kh_websocket_close_build:
 * @code: a close code
 * @reason: a short sentence in ASCII
 *
 * Returns: (transfer full): a Close frame
 */
GBytes *
kh_websocket_close_build (guint code, const char *reason)
{
  char payload[KH_WEBSOCKET_MAX_CONTROL_BYTES];
  gsize length = MIN (strlen (reason), sizeof payload - 2);

  payload[0] = code >> 8;
  payload[1] = code & 0xff;
  memcpy (payload + 2, reason, length);
  return kh_websocket_frame_build (KH_WEBSOCKET_CLOSE, payload, 2 + length);
}
