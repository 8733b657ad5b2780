/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ws-server.h"

#include "fake-server.h"
#include "kh-json.h"

#include <string.h>

typedef struct
{
  WsServer *server;
  FakeClient *client;
  SoupWebsocketConnection *connection;
} Link;

struct _WsServer
{
  SoupServer *soup;
  char *url;
  WsOpened opened;
  gpointer user_data;
  GPtrArray *open;
  guint count;

  FakeServer *mind;
  GPtrArray *links;
  char *mood;
};

static void
on_closed (SoupWebsocketConnection *connection, WsServer *self)
{
  g_ptr_array_remove (self->open, connection);
}

static void
on_connection (SoupServer *soup, SoupServerMessage *message, const char *path, SoupWebsocketConnection *connection,
               gpointer user_data)
{
  WsServer *self = user_data;

  self->count++;
  g_ptr_array_add (self->open, g_object_ref (connection));
  g_signal_connect (connection, "closed", G_CALLBACK (on_closed), self);
  self->opened (self, connection, self->user_data);
}

/* Pages that are no WebSockets. */
static void
on_page (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  WsServer *self = user_data;

  if (strcmp (path, "/moved") == 0)
    soup_server_message_set_redirect (message, SOUP_STATUS_FOUND, self->url);
  else if (strcmp (path, "/locked") == 0)
    {
      soup_message_headers_append (soup_server_message_get_response_headers (message), "WWW-Authenticate",
                                   "Basic realm=\"test\"");
      soup_server_message_set_status (message, SOUP_STATUS_UNAUTHORIZED, NULL);
    }
  else
    soup_server_message_set_status (message, strcmp (path, "/page") == 0 ? SOUP_STATUS_OK : SOUP_STATUS_NOT_FOUND,
                                    NULL);
}

WsServer *
ws_server_new (WsOpened opened, gpointer user_data)
{
  WsServer *self = g_new0 (WsServer, 1);
  g_autoptr (GError) error = NULL;
  GSList *uris;

  self->opened = opened;
  self->user_data = user_data;
  self->open = g_ptr_array_new_with_free_func (g_object_unref);
  self->soup = soup_server_new (NULL, NULL);
  soup_server_add_handler (self->soup, NULL, on_page, self, NULL);
  soup_server_add_websocket_handler (self->soup, "/v1", NULL, NULL, on_connection, self, NULL);
  soup_server_listen_local (self->soup, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
  g_assert_no_error (error);

  uris = soup_server_get_uris (self->soup);
  self->url = g_strdup_printf ("ws://127.0.0.1:%d/v1", g_uri_get_port (uris->data));
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);

  return self;
}

/* Connections end without a goodbye. */
void
ws_server_cut (WsServer *self)
{
  while (self->open->len > 0)
    {
      g_autoptr (SoupWebsocketConnection) connection = g_object_ref (self->open->pdata[0]);

      g_io_stream_close (soup_websocket_connection_get_io_stream (connection), NULL, NULL);
      g_signal_handlers_disconnect_by_data (connection, self);
      for (guint i = 0; self->links != NULL && i < self->links->len; i++)
        {
          Link *link = self->links->pdata[i];

          if (link->connection == connection)
            {
              g_signal_handlers_disconnect_by_data (connection, link);
              fake_server_disconnect (self->mind, link->client);
              g_ptr_array_remove_index (self->links, i);
              break;
            }
        }
      g_ptr_array_remove_index (self->open, 0);
    }
}

void
ws_server_free (WsServer *self)
{
  ws_server_cut (self);
  soup_server_disconnect (self->soup);
  g_object_unref (self->soup);
  g_ptr_array_unref (self->open);
  g_clear_pointer (&self->links, g_ptr_array_unref);
  g_clear_pointer (&self->mind, fake_server_free);
  g_free (self->mood);
  g_free (self->url);
  g_free (self);
}

const char *
ws_server_get_url (WsServer *self)
{
  return self->url;
}

guint
ws_server_get_count (WsServer *self)
{
  return self->count;
}

GPtrArray *
ws_server_get_open (WsServer *self)
{
  return self->open;
}

/* The mood of the last `close`. */
const char *
ws_server_get_mood (WsServer *self)
{
  return self->mood;
}

void
ws_server_send (SoupWebsocketConnection *connection, const char *text)
{
  if (soup_websocket_connection_get_state (connection) == SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_send_text (connection, text);
}

static void
on_written (GObject *stream, GAsyncResult *result, gpointer bytes)
{
  g_output_stream_write_all_finish (G_OUTPUT_STREAM (stream), result, NULL, NULL);
  g_bytes_unref (bytes);
}

/* Bytes past the rules of WebSocket. */
void
ws_server_write_raw (SoupWebsocketConnection *connection, GBytes *bytes)
{
  GIOStream *stream = soup_websocket_connection_get_io_stream (connection);

  g_output_stream_write_all_async (g_io_stream_get_output_stream (stream), g_bytes_get_data (bytes, NULL),
                                   g_bytes_get_size (bytes), G_PRIORITY_DEFAULT, NULL, on_written, g_bytes_ref (bytes));
}

/* Where nobody listens: a port that was ours a moment ago. */
char *
ws_closed_port_url (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);

  g_socket_listener_close (listener);
  return g_strdup_printf ("ws://127.0.0.1:%u/v1", port);
}

static void
flush_links (WsServer *self)
{
  for (guint i = 0; i < self->links->len; i++)
    {
      Link *link = self->links->pdata[i];
      JsonObject *answer;

      while ((answer = fake_client_pop (link->client)) != NULL)
        {
          g_autofree char *text = kh_json_to_text (answer);

          ws_server_send (link->connection, text);
          json_object_unref (answer);
        }
    }
}

static void
on_mailbox_message (SoupWebsocketConnection *connection, SoupWebsocketDataType type, GBytes *bytes, Link *link)
{
  WsServer *self = link->server;
  g_autoptr (GError) error = NULL;
  JsonObject *message = kh_json_parse_object (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), &error);
  const char *mood;

  g_assert_no_error (error);
  mood = kh_json_get_string (message, "mood");
  if (mood != NULL)
    {
      g_free (self->mood);
      self->mood = g_strdup (mood);
    }
  fake_server_take (self->mind, link->client, message);
  flush_links (self);
}

static void
on_mailbox_closed (SoupWebsocketConnection *connection, Link *link)
{
  fake_server_disconnect (link->server->mind, link->client);
  g_ptr_array_remove (link->server->links, link);
}

static void
on_mailbox_opened (WsServer *self, SoupWebsocketConnection *connection, gpointer user_data)
{
  Link *link = g_new0 (Link, 1);

  link->server = self;
  link->connection = connection;
  link->client = fake_server_connect (self->mind);
  g_ptr_array_add (self->links, link);
  g_signal_connect (connection, "message", G_CALLBACK (on_mailbox_message), link);
  g_signal_connect (connection, "closed", G_CALLBACK (on_mailbox_closed), link);
  flush_links (self);
}

/* A whole meeting server. */
WsServer *
ws_server_new_mailbox (void)
{
  WsServer *self = ws_server_new (on_mailbox_opened, NULL);

  self->mind = fake_server_new ();
  self->links = g_ptr_array_new_with_free_func (g_free);

  return self;
}
