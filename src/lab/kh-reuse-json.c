/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-reuse-report.h"

#include <json-glib/json-glib.h>
#include <stdio.h>

static const char *const outcomes[] = { "not-tried", "connected", "silence", "refused", "icmp", "failed" };
static const char *const afterwards[] = { "same", "another-port", "lost", "no-connection" };

static void
add (JsonBuilder *builder, const char *key, const char *value)
{
  json_builder_set_member_name (builder, key);
  if (value == NULL)
    json_builder_add_null_value (builder);
  else
    json_builder_add_string_value (builder, value);
}

static void
add_flag (JsonBuilder *builder, const char *key, gboolean value)
{
  json_builder_set_member_name (builder, key);
  json_builder_add_boolean_value (builder, value);
}

static void
add_number (JsonBuilder *builder, const char *key, int value)
{
  json_builder_set_member_name (builder, key);
  json_builder_add_int_value (builder, value);
}

static void
add_endpoint (JsonBuilder *builder, const char *key, const KhEndpoint *endpoint)
{
  g_autofree char *text = endpoint->port != 0 ? kh_endpoint_format (endpoint) : NULL;

  add (builder, key, text);
}

static void
add_dial (JsonBuilder *builder, const char *key, const KhDialResult *dial)
{
  json_builder_set_member_name (builder, key);
  json_builder_begin_object (builder);
  add (builder, "outcome", outcomes[dial->outcome]);
  if (dial->reason != 0)
    add (builder, "error", kh_lab_socket_reason (dial->reason));
  if (dial->outcome == KH_OUTCOME_ICMP)
    {
      add_number (builder, "icmp_type", dial->icmp_type);
      add_number (builder, "icmp_code", dial->icmp_code);
    }
  json_builder_end_object (builder);
}

static void
add_options (JsonBuilder *builder, const char *key, KhReuse reuse)
{
  json_builder_set_member_name (builder, key);
  json_builder_begin_array (builder);
  if (reuse & KH_REUSE_ADDRESS)
    json_builder_add_string_value (builder, "SO_REUSEADDR");
  if (reuse & KH_REUSE_PORT)
    json_builder_add_string_value (builder, "SO_REUSEPORT");
  json_builder_end_array (builder);
}

static void
add_host (JsonBuilder *builder, const KhReuseResult *found)
{
  add (builder, "listen", kh_lab_socket_reason (found->listen));
  add (builder, "dial", kh_lab_socket_reason (found->dial));
  add (builder, "dial_beside_listener", kh_lab_socket_reason (found->dial_beside));
  add (builder, "listen_beside_dial", kh_lab_socket_reason (found->listen_beside));
}

static void
add_friend (JsonBuilder *builder, const KhReuseResult *found)
{
  json_builder_set_member_name (builder, "friend");
  json_builder_begin_object (builder);
  add_flag (builder, "connected", found->friend_connected);
  if (found->friend_connected)
    {
      add (builder, "our_socket", found->at_our_listener ? "listener" : "dial");
      add (builder, "their_socket", found->at_their_listener ? "listener" : "dial");
      add_endpoint (builder, "seen_by_friend", &found->seen_by_friend);
      add_flag (builder, "through_mapping", kh_endpoint_equal (&found->seen_by_friend, &found->mapping));
    }
  add_dial (builder, "our_dial", &found->our_dial);
  add_dial (builder, "their_dial", &found->their_dial);
  json_builder_end_object (builder);
}

static void
add_router (JsonBuilder *builder, const KhReuseRow *row, const KhReuseRow *rows, gsize n_rows)
{
  const KhReuseResult *found = &row->found;

  add (builder, "listen", kh_lab_socket_reason (found->listen));
  add (builder, "dial_beside_listener", kh_lab_socket_reason (found->dial_beside));
  add_endpoint (builder, "mapping", &found->mapping);
  add_dial (builder, "stranger", &found->stranger);
  add_friend (builder, found);
  add (builder, "afterwards", afterwards[kh_reuse_row_get_afterwards (row, rows, n_rows)]);
  add_endpoint (builder, "mapping_afterwards", &found->afterwards);
  add_dial (builder, "last_dial", &found->last_dial);
}

/**
 * kh_reuse_report_print_json:
 * @rows: (array length=n_rows): what was found out
 * @n_rows: how many
 *
 * Prints a line of JSON for each trial.
 */
void
kh_reuse_report_print_json (const KhReuseRow *rows, gsize n_rows)
{
  g_autoptr (JsonGenerator) generator = json_generator_new ();

  for (gsize i = 0; i < n_rows; i++)
    {
      const KhReuseRow *row = &rows[i];
      g_autoptr (JsonBuilder) builder = json_builder_new ();
      g_autoptr (JsonNode) root = NULL;
      g_autofree char *line = NULL;

      json_builder_begin_object (builder);
      add (builder, "type", row->what.host_only ? "host" : "router");
      if (row->nat != NULL)
        add (builder, "nat", row->nat);
      add (builder, "first", row->what.keep ? "kept-open" : "closed");
      add_options (builder, "first_options", row->what.first);
      add_options (builder, "later_options", row->what.later);
      if (row->error != NULL)
        add (builder, "error", row->error->message);
      else if (row->what.host_only)
        add_host (builder, &row->found);
      else
        add_router (builder, row, rows, n_rows);
      json_builder_end_object (builder);
      root = json_builder_get_root (builder);
      json_generator_set_root (generator, root);
      line = json_generator_to_data (generator, NULL);
      puts (line);
    }
}
