/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-server-log.h"

#include "kh-address.h"
#include "kh-json.h"

#include <poll.h>
#include <unistd.h>

/* A line is one write of at most this, which a pipe that polls writable takes without blocking. */
#define MAX_LINE_BYTES 4096

struct _KhServerLog
{
  int fd;
  gboolean json;
  gboolean addresses;
  gint64 started;
  guint64 missed;
};

/**
 * kh_server_log_new:
 * @fd: where the lines go; stays open
 * @json: whether a line is a JSON object, for programs
 * @addresses: whether clients' addresses are written
 *
 * Returns: (transfer full): a log, whose time starts now
 */
KhServerLog *
kh_server_log_new (int fd, gboolean json, gboolean addresses)
{
  KhServerLog *self = g_new0 (KhServerLog, 1);

  self->fd = fd;
  self->json = json;
  self->addresses = addresses;
  self->started = g_get_monotonic_time ();

  return self;
}

void
kh_server_log_free (KhServerLog *self)
{
  g_free (self);
}

static void
append_value (GString *line, JsonNode *node)
{
  if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);

      for (guint i = 0; i < json_array_get_length (array); i++)
        {
          if (i > 0)
            g_string_append_c (line, ',');
          append_value (line, json_array_get_element (array, i));
        }
    }
  else if (json_node_get_value_type (node) == G_TYPE_STRING)
    g_string_append (line, json_node_get_string (node));
  else
    g_string_append_printf (line, "%" G_GINT64_FORMAT, json_node_get_int (node));
}

/* For people: seconds, the event's type, and name=value for the rest. */
static char *
to_text (JsonObject *object)
{
  GString *line = g_string_new (NULL);
  g_autoptr (GList) members = json_object_get_members (object);

  g_string_append_printf (line, "%10.3f  %s", json_object_get_int_member (object, "t") / 1e3,
                          json_object_get_string_member (object, "type"));
  for (GList *at = members->next->next; at != NULL; at = at->next)
    {
      g_string_append_printf (line, " %s=", (const char *) at->data);
      append_value (line, json_object_get_member (object, at->data));
    }

  return g_string_free (line, FALSE);
}

/* Who reads the first line and no more must not bring the server to a halt when the pipe is full. */
static void
write_line (KhServerLog *self, const char *line)
{
  g_autofree char *whole = g_strconcat (line, "\n", NULL);
  gsize length = strlen (whole);
  struct pollfd poll_fd = { .fd = self->fd, .events = POLLOUT };

  if (length > MAX_LINE_BYTES || poll (&poll_fd, 1, 0) != 1 || write (self->fd, whole, length) != (gssize) length)
    self->missed++;
}

static void
write_object (KhServerLog *self, JsonObject *object)
{
  g_autofree char *line = self->json ? kh_json_to_text (object) : to_text (object);

  write_line (self, line);
}

static JsonObject *
begin (KhServerLog *self, const char *type)
{
  return kh_json_build ("t:l type:s", (g_get_monotonic_time () - self->started) / 1000, type);
}

/**
 * kh_server_log_write:
 * @self: a log
 * @type: the event's name
 * @spec: its members as for kh_json_build(): texts, integers and arrays of texts
 * @...: a value for each
 *
 * Writes an event, at once. A reader that does not read loses events, never the server's time.
 */
void
kh_server_log_write (KhServerLog *self, const char *type, const char *spec, ...)
{
  g_autoptr (JsonObject) object = begin (self, type);
  va_list values;

  va_start (values, spec);
  kh_json_add_va (object, spec, &values);
  va_end (values);
  write_object (self, object);
}

static void
add_address (KhServerLog *self, JsonObject *object, GInetSocketAddress *address)
{
  g_autofree char *text = self->addresses ? kh_address_to_text (G_SOCKET_ADDRESS (address)) : NULL;

  if (text != NULL)
    json_object_set_string_member (object, "address", text);
}

/**
 * kh_server_log_client:
 * @self: a log
 * @type: `client.connected` or `client.gone`
 * @service: `mailbox` or `stun`
 * @clients: how many the service has now
 * @address: the client's; written only if the log is to have addresses
 *
 * Writes an event about a client.
 */
void
kh_server_log_client (KhServerLog *self, const char *type, const char *service, guint clients,
                      GInetSocketAddress *address)
{
  g_autoptr (JsonObject) object = begin (self, type);

  json_object_set_string_member (object, "service", service);
  json_object_set_int_member (object, "clients", clients);
  add_address (self, object, address);
  write_object (self, object);
}

/**
 * kh_server_log_dial:
 * @self: a log
 * @kind: what was asked for
 * @result: what came of it
 * @address: where to; written only if the log is to have addresses
 *
 * Writes a `dial.end` event.
 */
void
kh_server_log_dial (KhServerLog *self, const char *kind, const char *result, GInetSocketAddress *address)
{
  g_autoptr (JsonObject) object = begin (self, "dial.end");

  json_object_set_string_member (object, "kind", kind);
  json_object_set_string_member (object, "result", result);
  add_address (self, object, address);
  write_object (self, object);
}

/**
 * kh_server_log_get_missed:
 *
 * Returns: events that could not be written, since nobody read
 */
guint64
kh_server_log_get_missed (KhServerLog *self)
{
  return self->missed;
}
