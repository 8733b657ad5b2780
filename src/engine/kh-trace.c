/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-trace.h"

#include "kh-error.h"
#include "kh-json.h"
#include "kh-redact.h"

#include <string.h>

/* What is forgotten at once when the trace is full, so that the list does not move for every event. */
#define FORGET_STEP 1000

/**
 * KhEvent:
 *
 * One thing that happened: a kind such as `attempt.start`, a time in milliseconds since the trace began, and
 * members. Immutable. In JSON lines it is one object: `{"t": 31, "type": "attempt.start", …}`.
 */
struct _KhEvent
{
  GObject parent_instance;

  gint64 time;
  char *kind;
  JsonObject *members;
};

G_DEFINE_FINAL_TYPE (KhEvent, kh_event, G_TYPE_OBJECT)

static void
kh_event_finalize (GObject *object)
{
  KhEvent *self = KH_EVENT (object);

  g_free (self->kind);
  json_object_unref (self->members);

  G_OBJECT_CLASS (kh_event_parent_class)->finalize (object);
}

static void
kh_event_class_init (KhEventClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = kh_event_finalize;
}

static void
kh_event_init (KhEvent *self)
{
}

static KhEvent *
event_new (gint64 time, const char *kind, JsonObject *members)
{
  KhEvent *self = g_object_new (KH_TYPE_EVENT, NULL);

  self->time = time;
  self->kind = g_strdup (kind);
  self->members = members;

  return self;
}

gint64
kh_event_get_time (KhEvent *self)
{
  g_return_val_if_fail (KH_IS_EVENT (self), 0);

  return self->time;
}

const char *
kh_event_get_kind (KhEvent *self)
{
  g_return_val_if_fail (KH_IS_EVENT (self), NULL);

  return self->kind;
}

/**
 * kh_event_get_members:
 *
 * Returns: (transfer none): the members beside `t` and `type`
 */
JsonObject *
kh_event_get_members (KhEvent *self)
{
  g_return_val_if_fail (KH_IS_EVENT (self), NULL);

  return self->members;
}

static void
copy_member (JsonObject *object, const char *name, JsonNode *node, gpointer user_data)
{
  json_object_set_member (user_data, name, json_node_copy (node));
}

/**
 * kh_event_to_line:
 *
 * Returns: (transfer full): the event as one line of JSON, without the line's end
 */
char *
kh_event_to_line (KhEvent *self)
{
  g_autoptr (JsonObject) line = NULL;

  g_return_val_if_fail (KH_IS_EVENT (self), NULL);

  line = kh_json_build ("t:l type:s", self->time, self->kind);
  json_object_foreach_member (self->members, copy_member, line);

  return kh_json_to_text (line);
}

/**
 * KhTrace:
 *
 * Everything the rooms did and saw, in order: a #GListModel of #KhEvent, always on, bounded. Message texts and
 * keys never enter it.
 */
struct _KhTrace
{
  GObject parent_instance;

  GPtrArray *events;
  gint64 start;
};

static void list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (KhTrace, kh_trace, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

static GType
kh_trace_get_item_type (GListModel *model)
{
  return KH_TYPE_EVENT;
}

static guint
kh_trace_get_n_items (GListModel *model)
{
  return KH_TRACE (model)->events->len;
}

static gpointer
kh_trace_get_item (GListModel *model, guint position)
{
  KhTrace *self = KH_TRACE (model);

  return position < self->events->len ? g_object_ref (g_ptr_array_index (self->events, position)) : NULL;
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = kh_trace_get_item_type;
  iface->get_n_items = kh_trace_get_n_items;
  iface->get_item = kh_trace_get_item;
}

static void
kh_trace_finalize (GObject *object)
{
  KhTrace *self = KH_TRACE (object);

  g_ptr_array_unref (self->events);

  G_OBJECT_CLASS (kh_trace_parent_class)->finalize (object);
}

static void
kh_trace_class_init (KhTraceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = kh_trace_finalize;
}

static void
kh_trace_init (KhTrace *self)
{
  self->events = g_ptr_array_new_with_free_func (g_object_unref);
  self->start = g_get_monotonic_time ();
}

KhTrace *
kh_trace_new (void)
{
  return g_object_new (KH_TYPE_TRACE, NULL);
}

/**
 * kh_trace_now:
 *
 * Returns: milliseconds since the trace began, on the clock its events carry
 */
gint64
kh_trace_now (KhTrace *self)
{
  g_return_val_if_fail (KH_IS_TRACE (self), 0);

  return (g_get_monotonic_time () - self->start) / 1000;
}

static void
append (KhTrace *self, KhEvent *event)
{
  guint forgotten = 0;

  if (self->events->len >= KH_TRACE_MAX_EVENTS)
    {
      forgotten = FORGET_STEP;
      g_ptr_array_remove_range (self->events, 0, forgotten);
      g_list_model_items_changed (G_LIST_MODEL (self), 0, forgotten, 0);
    }

  g_ptr_array_add (self->events, event);
  g_list_model_items_changed (G_LIST_MODEL (self), self->events->len - 1, 0, 1);
}

/**
 * kh_trace_foreach:
 * @position: of the first event
 * @count: how many; fewer if there are fewer
 * @func: (scope call): called with each of them, in order
 * @user_data: for @func
 *
 * For whoever is told by GListModel::items-changed what has been added.
 */
void
kh_trace_foreach (KhTrace *self, guint position, guint count, KhEventFunc func, gpointer user_data)
{
  g_return_if_fail (KH_IS_TRACE (self));

  for (guint i = 0; i < count && position + i < self->events->len; i++)
    {
      g_autoptr (KhEvent) event = g_object_ref (g_ptr_array_index (self->events, position + i));

      func (event, user_data);
    }
}

/**
 * kh_trace_add:
 * @kind: the event's kind
 * @spec: (nullable): members as for kh_json_build()
 * @...: their values
 *
 * Adds an event that happens now. When the trace is full the oldest thousand are forgotten.
 */
void
kh_trace_add (KhTrace *self, const char *kind, const char *spec, ...)
{
  JsonObject *members;
  va_list values;

  g_return_if_fail (KH_IS_TRACE (self));

  members = json_object_new ();
  va_start (values, spec);
  if (spec != NULL)
    kh_json_add_va (members, spec, &values);
  va_end (values);

  append (self, event_new (kh_trace_now (self), kind, members));
}

/* What is written down may be shown to others; a code may still be live. */
static gboolean
is_secret (KhEvent *event)
{
  return strcmp (event->kind, "invite.code") == 0;
}

static void
copy_shortened (JsonObject *object, const char *name, JsonNode *node, gpointer user_data)
{
  json_object_set_member (user_data, name, kh_redact_node (node));
}

static char *
event_to_report_line (KhEvent *self)
{
  g_autoptr (JsonObject) line = kh_json_build ("t:l type:s", self->time, self->kind);

  json_object_foreach_member (self->members, copy_shortened, line);
  if (g_str_has_prefix (self->kind, "offer."))
    json_object_remove_member (line, "name");
  /* Words of a code that was mistyped, and is still live. */
  if (g_strcmp0 (kh_json_get_string (self->members, "code"), "bad-code") == 0)
    json_object_remove_member (line, "sentence");

  return kh_json_to_text (line);
}

static char *
write_lines (KhTrace *self, char *(*to_line) (KhEvent *event))
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < self->events->len; i++)
    {
      KhEvent *event = g_ptr_array_index (self->events, i);
      g_autofree char *line = is_secret (event) ? NULL : to_line (event);

      if (line != NULL)
        g_string_append_printf (text, "%s\n", line);
    }

  return g_string_free (text, FALSE);
}

/**
 * kh_trace_to_lines:
 *
 * Returns: (transfer full): all events as JSON lines, but for the one that holds the code
 */
char *
kh_trace_to_lines (KhTrace *self)
{
  g_return_val_if_fail (KH_IS_TRACE (self), NULL);

  return write_lines (self, kh_event_to_line);
}

/**
 * kh_trace_to_report:
 *
 * Made to be shown to strangers: as kh_trace_to_lines(), but without the friends' names, and with the addresses of the
 * internet shortened as by kh_redact_text(). kh_trace_from_lines() reads it.
 *
 * Returns: (transfer full): events as JSON lines
 */
char *
kh_trace_to_report (KhTrace *self)
{
  g_return_val_if_fail (KH_IS_TRACE (self), NULL);

  return write_lines (self, event_to_report_line);
}

static KhEvent *
event_from_line (const char *line, gsize length, GError **error)
{
  g_autoptr (JsonObject) object = kh_json_parse_object (line, length, error);
  g_autoptr (JsonObject) members = NULL;
  const char *kind;
  gint64 time;

  if (object == NULL)
    return NULL;

  kind = kh_json_get_string (object, "type");
  if (kind == NULL || !kh_json_get_int (object, "t", 0, G_MAXINT64, &time))
    {
      g_set_error_literal (error, KH_ERROR, KH_ERROR_PROTOCOL, "an event without its time or type");
      return NULL;
    }

  members = json_object_new ();
  json_object_foreach_member (object, copy_member, members);
  json_object_remove_member (members, "t");
  json_object_remove_member (members, "type");

  return event_new (time, kind, g_steal_pointer (&members));
}

/**
 * kh_trace_from_lines:
 * @text: (array length=length): JSON lines, from a file that anybody may have made
 *
 * Returns: (transfer full): a trace that holds them, or %NULL with %KH_ERROR_PROTOCOL
 */
KhTrace *
kh_trace_from_lines (const char *text, gsize length, GError **error)
{
  g_autoptr (KhTrace) self = kh_trace_new ();
  const char *end = text + length;

  for (const char *line = text; line < end;)
    {
      const char *stop = memchr (line, '\n', end - line);
      KhEvent *event;

      if (stop == NULL)
        stop = end;
      if (stop > line)
        {
          event = event_from_line (line, stop - line, error);
          if (event == NULL)
            return NULL;
          append (self, event);
        }
      line = stop + 1;
    }

  return g_steal_pointer (&self);
}
