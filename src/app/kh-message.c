/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-message.h"

#include "config.h"

#include "kh-text.h"

#include <glib/gi18n.h>
#include <string.h>

/* More than a message on the wire can hold. */
#define MAX_CHARACTERS 65536

/* What is shown of a long message before its reader asks for all of it, and then as one piece: the time to lay a text out grows
 * with the square of its length. 32 KiB of joined emoji took 25 s, and a friend can send many. */
#define PIECE_CHARACTERS 1200
#define PIECE_LINES 24
#define MORE_PIECES 12

/**
 * KhMessage:
 *
 * One message of a conversation, safe to show.
 */
struct _KhMessage
{
  GObject parent_instance;

  KhMessageState state;
  guint64 id;
  char *author; /* NULL where the friend has no name */
  char *text;
  guint shown;     /* pieces that are shown */
  GDateTime *time; /* by the own clock: when it was said, or when it came */
};

G_DEFINE_FINAL_TYPE (KhMessage, kh_message, G_TYPE_OBJECT)

enum
{
  PROP_NOTE = 1,
  PROP_SHOWN,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

static void
kh_message_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch (id)
    {
    case PROP_NOTE:
      g_value_take_string (value, kh_message_dup_note (KH_MESSAGE (object)));
      break;
    case PROP_SHOWN:
      g_value_take_string (value, kh_message_dup_shown (KH_MESSAGE (object)));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
kh_message_finalize (GObject *object)
{
  KhMessage *self = KH_MESSAGE (object);

  g_free (self->author);
  g_free (self->text);
  g_date_time_unref (self->time);

  G_OBJECT_CLASS (kh_message_parent_class)->finalize (object);
}

static void
kh_message_class_init (KhMessageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = kh_message_get_property;
  object_class->finalize = kh_message_finalize;

  /**
   * KhMessage:note:
   *
   * When it was, and what became of it.
   */
  properties[PROP_NOTE] = g_param_spec_string ("note", NULL, NULL, NULL,
                                               G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);

  /**
   * KhMessage:shown:
   *
   * What is shown of the text: all of it, or the beginning of a long one.
   */
  properties[PROP_SHOWN] = g_param_spec_string ("shown", NULL, NULL, NULL,
                                                G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
kh_message_init (KhMessage *self)
{
  self->time = g_date_time_new_now_local ();
}

/* How many bytes of @text make the next piece: up to a space or a line's end, if there is one. */
static gsize
piece_length (const char *text)
{
  const char *space = NULL;
  const char *at = text;
  guint lines = 0;

  for (guint i = 0; *at != '\0' && i < PIECE_CHARACTERS && lines < PIECE_LINES; i++)
    {
      const char *next = g_utf8_next_char (at);

      lines += *at == '\n';
      if (*at == '\n' || *at == ' ')
        space = next;
      at = next;
    }
  return (*at == '\0' || space == NULL ? at : space) - text;
}

static gsize
shown_length (KhMessage *self)
{
  const char *end = self->text;

  for (guint i = 0; i < self->shown; i++)
    end += piece_length (end);
  return end - self->text;
}

/**
 * kh_message_new:
 * @state: whose it is, and how far it has come
 * @id: its number in its direction
 * @author: (nullable): what the friend is called; an empty name is none
 * @text: what was said, from anybody; made plain here
 *
 * Returns: (transfer full): a message of this moment
 */
KhMessage *
kh_message_new (KhMessageState state, guint64 id, const char *author, const char *text)
{
  KhMessage *self = g_object_new (KH_TYPE_MESSAGE, NULL);

  self->state = state;
  self->id = id;
  self->author = author != NULL && *author != '\0' ? g_strdup (author) : NULL;
  self->text = kh_text_plain_lines (text, MAX_CHARACTERS);
  self->shown = 1;

  return self;
}

KhMessageState
kh_message_get_state (KhMessage *self)
{
  g_return_val_if_fail (KH_IS_MESSAGE (self), KH_MESSAGE_RECEIVED);

  return self->state;
}

void
kh_message_set_state (KhMessage *self, KhMessageState state)
{
  g_return_if_fail (KH_IS_MESSAGE (self));

  if (self->state == state)
    return;

  self->state = state;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_NOTE]);
}

guint64
kh_message_get_id (KhMessage *self)
{
  g_return_val_if_fail (KH_IS_MESSAGE (self), 0);

  return self->id;
}

const char *
kh_message_get_text (KhMessage *self)
{
  g_return_val_if_fail (KH_IS_MESSAGE (self), NULL);

  return self->text;
}

/**
 * kh_message_is_folded:
 *
 * Returns: whether only the beginning is shown
 */
gboolean
kh_message_is_folded (KhMessage *self)
{
  g_return_val_if_fail (KH_IS_MESSAGE (self), FALSE);

  return shown_length (self) < strlen (self->text);
}

/**
 * kh_message_unfold:
 *
 * More of it is shown from now on.
 */
void
kh_message_unfold (KhMessage *self)
{
  g_return_if_fail (KH_IS_MESSAGE (self));

  if (!kh_message_is_folded (self))
    return;

  self->shown += MORE_PIECES;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SHOWN]);
}

/**
 * kh_message_dup_shown:
 *
 * Returns: (transfer full): the text, or the beginning of a long one
 */
char *
kh_message_dup_shown (KhMessage *self)
{
  g_autofree char *beginning = NULL;

  g_return_val_if_fail (KH_IS_MESSAGE (self), NULL);

  if (!kh_message_is_folded (self))
    return g_strdup (self->text);

  beginning = g_strndup (self->text, shown_length (self));
  return g_strconcat (g_strchomp (beginning), "…", NULL);
}

/**
 * kh_message_dup_pieces:
 *
 * Returns: (transfer full) (array zero-terminated=1): what is shown, in pieces that can be laid out in time
 */
char **
kh_message_dup_pieces (KhMessage *self)
{
  g_autoptr (GStrvBuilder) pieces = g_strv_builder_new ();
  g_autofree char *shown = NULL;

  g_return_val_if_fail (KH_IS_MESSAGE (self), NULL);

  shown = kh_message_dup_shown (self);
  for (const char *rest = shown; *rest != '\0';)
    {
      gsize length = piece_length (rest);
      g_autofree char *piece = g_strndup (rest, length);

      g_strv_builder_add (pieces, g_strchomp (piece));
      rest += length;
    }
  return g_strv_builder_end (pieces);
}

/**
 * kh_message_dup_note:
 *
 * Returns: (transfer full): the line beneath the text, such as "12:04 · Delivered"
 */
char *
kh_message_dup_note (KhMessage *self)
{
  /* Translators: a time of day, as in g_date_time_format() */
  g_autofree char *time = g_date_time_format (self->time, _ ("%H:%M"));

  switch (self->state)
    {
    case KH_MESSAGE_SENT:
      /* Translators: %s is a time of day */
      return g_strdup_printf (_ ("%s · Sent"), time);
    case KH_MESSAGE_DELIVERED:
      return g_strdup_printf (_ ("%s · Delivered"), time);
    case KH_MESSAGE_UNDELIVERED:
      return g_strdup_printf (_ ("%s · Not delivered"), time);
    case KH_MESSAGE_RECEIVED:
    default:
      return g_steal_pointer (&time);
    }
}

/**
 * kh_message_dup_label:
 *
 * Returns: (transfer full): the whole of it for a screen reader
 */
char *
kh_message_dup_label (KhMessage *self)
{
  g_autofree char *note = kh_message_dup_note (self);
  g_autofree char *shown = kh_message_dup_shown (self);

  if (self->state != KH_MESSAGE_RECEIVED)
    /* Translators: %1$s is what was said, %2$s when, and what became of it */
    return g_strdup_printf (_ ("You: %1$s (%2$s)"), shown, note);
  if (self->author == NULL)
    return g_strdup_printf (_ ("Your friend: %1$s (%2$s)"), shown, note);
  /* Translators: %1$s is the friend's name, %2$s what was said, %3$s when */
  return g_strdup_printf (_ ("%1$s: %2$s (%3$s)"), self->author, shown, note);
}
