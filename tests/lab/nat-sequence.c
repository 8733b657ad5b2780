/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Reads scripts of packets; sequences/README.md says how they are written. A mistake in one ends the test. */

#include "nat-sequence.h"

#include <string.h>

#define DEFAULT_WINDOW 65535
#define MAX_PAYLOAD 1400

static const guint8 zeros[MAX_PAYLOAD];

static const struct
{
  const char *name;
  guint8 flag;
} flags[] = {
  { "FIN", KH_TCP_FIN }, { "SYN", KH_TCP_SYN }, { "RST", KH_TCP_RST }, { "PSH", KH_TCP_PSH },
  { "ACK", KH_TCP_ACK }, { "URG", 0x20 },       { "NULL", 0 },
};

static const struct
{
  const char *name;
  KhIcmpError error;
} errors[] = {
  { "time-exceeded", KH_ICMP_TIME_EXCEEDED },       { "host-unreachable", KH_ICMP_HOST_UNREACHABLE },
  { "port-unreachable", KH_ICMP_PORT_UNREACHABLE }, { "prohibited", KH_ICMP_PROHIBITED },
  { "net-unreachable", KH_ICMP_NET_UNREACHABLE },
};

static gboolean
read_number (const char *text, guint64 max, guint64 *number)
{
  return g_ascii_string_to_unsigned (text, 10, 0, max, number, NULL);
}

/* `host` or `host:port` */
static gboolean
read_place (const char *text, const NatHost **host, guint16 *port)
{
  const char *colon = strchr (text, ':');
  guint64 number = 0;

  *host = nat_host_find (text, colon != NULL ? (gsize) (colon - text) : strlen (text));
  if (*host == NULL || (colon != NULL && !read_number (colon + 1, G_MAXUINT16, &number)))
    return FALSE;

  *port = (guint16) number;
  return TRUE;
}

static gboolean
read_end (const char *text, NatEnd *end)
{
  g_auto (GStrv) parts = NULL;

  memset (end, 0, sizeof *end);
  end->straight = text[0] == '=';
  parts = g_strsplit (text + end->straight, "@", 2);

  return read_place (parts[0], &end->host, &end->port) &&
         (parts[1] == NULL || read_place (parts[1], &end->viewer, &end->viewer_port));
}

static gboolean
read_flags (const char *text, guint8 *all)
{
  g_auto (GStrv) names = g_strsplit (text, "+", 0);

  for (char **name = names; *name != NULL; name++)
    {
      gsize i = 0;

      while (i < G_N_ELEMENTS (flags) && !g_str_equal (flags[i].name, *name))
        i++;
      if (i == G_N_ELEMENTS (flags))
        return FALSE;
      *all |= flags[i].flag;
    }

  return TRUE;
}

static gboolean
read_error (const char *text, KhIcmpError *error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++)
    if (g_str_equal (errors[i].name, text))
      {
        *error = errors[i].error;
        return TRUE;
      }

  return FALSE;
}

static gboolean
read_kind (const char *text, NatStep *step)
{
  static const char *const names[] = { [NAT_STEP_UDP] = "UDP", [NAT_STEP_PING] = "PING", [NAT_STEP_PONG] = "PONG" };

  for (NatStepKind kind = NAT_STEP_UDP; kind <= NAT_STEP_PONG; kind++)
    if (g_str_equal (names[kind], text))
      {
        step->kind = kind;
        return TRUE;
      }

  step->kind = g_ascii_islower (text[0]) ? NAT_STEP_ERROR : NAT_STEP_TCP;

  return step->kind == NAT_STEP_ERROR ? read_error (text, &step->error) : read_flags (text, &step->tcp.flags);
}

static gboolean
read_fault (const char *text, NatFault *fault)
{
  static const char *const names[] = { "none", "checksum", "short", "fragment" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (names[i], text))
      {
        *fault = (NatFault) i;
        return TRUE;
      }

  return FALSE;
}

/* `about=SOURCE>DESTINATION`, of the protocol that stands behind `about-` */
static gboolean
read_quote (const char *key, const char *value, NatStep *step)
{
  g_auto (GStrv) ends = g_strsplit (value, ">", 2);

  step->quoted = g_str_equal (key, "about-udp")    ? NAT_STEP_UDP
                 : g_str_equal (key, "about-ping") ? NAT_STEP_PING
                                                   : NAT_STEP_TCP;

  return ends[0] != NULL && ends[1] != NULL && read_end (ends[0], &step->quoted_source) &&
         read_end (ends[1], &step->quoted_destination);
}

static gboolean
read_field (const char *key, const char *value, NatStep *step)
{
  KhTcpFields *tcp = &step->tcp;
  guint64 number;

  if (g_str_has_prefix (key, "about"))
    return read_quote (key, value, step);
  if (g_str_equal (key, "bad"))
    return read_fault (value, &step->fault);
  if (!read_number (value, G_MAXUINT32, &number))
    return FALSE;

  if (g_str_equal (key, "seq"))
    tcp->seq = (guint32) number;
  else if (g_str_equal (key, "ack"))
    tcp->ack = (guint32) number;
  else if (g_str_equal (key, "win"))
    tcp->window = (guint16) number;
  else if (g_str_equal (key, "ttl"))
    tcp->ttl = (guint8) number;
  else if (g_str_equal (key, "wscale"))
    tcp->window_scale = (int) number;
  else if (g_str_equal (key, "data") && number <= MAX_PAYLOAD)
    tcp->length = (gsize) number;
  else
    return FALSE;

  return TRUE;
}

/* SOURCE > DESTINATION KIND [KEY=VALUE …] */
static gboolean
read_packet (char **words, NatStep *step)
{
  step->tcp = (KhTcpFields){ .window = DEFAULT_WINDOW, .window_scale = -1, .payload = zeros };
  if (g_strv_length (words) < 4 || !g_str_equal (words[1], ">") || !read_end (words[0], &step->source) ||
      !read_end (words[2], &step->destination) || !read_kind (words[3], step))
    return FALSE;

  for (char **word = words + 4; *word != NULL; word++)
    {
      g_auto (GStrv) pair = g_strsplit (*word, "=", 2);

      if (pair[1] == NULL || !read_field (pair[0], pair[1], step))
        return FALSE;
    }

  return step->kind != NAT_STEP_ERROR || step->quoted_source.host != NULL;
}

static char **
split_words (const char *line)
{
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();
  g_auto (GStrv) pieces = g_strsplit_set (line, " \t", 0);

  for (char **piece = pieces; *piece != NULL; piece++)
    if (**piece != '\0')
      g_strv_builder_add (words, *piece);

  return g_strv_builder_end (words);
}

static gboolean
read_step (NatSequence *sequence, const char *line)
{
  g_auto (GStrv) words = split_words (line);
  NatStep step = { 0 };

  if (g_str_equal (words[0], "with") && sequence->options == NULL)
    {
      sequence->options = g_strdupv (words + 1);
      return TRUE;
    }
  if (g_str_equal (words[0], "wait") && words[1] != NULL)
    step.microseconds = (gint64) (g_ascii_strtod (words[1], NULL) * G_USEC_PER_SEC);
  else if (!read_packet (words, &step))
    return FALSE;

  step.text = g_strjoinv (" ", words);
  g_array_append_val (sequence->steps, step);
  return TRUE;
}

static void
clear_step (gpointer step)
{
  g_free (((NatStep *) step)->text);
}

static NatSequence *
nat_sequence_new (const char *name, gsize length)
{
  NatSequence *self = g_new0 (NatSequence, 1);

  self->name = g_strndup (name, length);
  self->steps = g_array_new (FALSE, FALSE, sizeof (NatStep));
  g_array_set_clear_func (self->steps, clear_step);

  return self;
}

void
nat_sequence_free (NatSequence *self)
{
  g_free (self->name);
  g_strfreev (self->options);
  g_array_unref (self->steps);
  g_free (self);
}

static gboolean
read_line (GPtrArray *sequences, guint before, const char *line)
{
  gsize length = strlen (line);

  if (length == 0 || line[0] == '#')
    return TRUE;
  if (line[0] == '[' && line[length - 1] == ']')
    {
      g_ptr_array_add (sequences, nat_sequence_new (line + 1, length - 2));
      return TRUE;
    }
  if (sequences->len == before)
    return FALSE;

  return read_step (sequences->pdata[sequences->len - 1], line);
}

/**
 * nat_sequences_load:
 * @sequences: (element-type NatSequence): where they go
 * @path: a script
 */
void
nat_sequences_load (GPtrArray *sequences, const char *path)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;
  guint before = sequences->len;

  if (!g_file_get_contents (path, &text, NULL, &error))
    g_error ("%s", error->message);

  lines = g_strsplit (text, "\n", 0);
  for (guint i = 0; lines[i] != NULL; i++)
    if (!read_line (sequences, before, g_strstrip (lines[i])))
      g_error ("%s:%u: not understood: %s", path, i + 1, lines[i]);
}

/**
 * nat_sequence_apply_options:
 * @settings: a profile's, changed to what this sequence asks for
 *
 * Returns: whether lifetimes have become so short that a slow machine could outlive them
 */
gboolean
nat_sequence_apply_options (const NatSequence *self, KhNatSettings *settings)
{
  gboolean shorter = FALSE;

  for (char **option = self->options; option != NULL && *option != NULL; option++)
    {
      g_auto (GStrv) pair = g_strsplit (*option, "=", 2);
      g_autoptr (GError) error = NULL;

      if (pair[1] == NULL || !kh_nat_settings_set (settings, pair[0], pair[1], &error))
        g_error ("%s: not understood: %s", self->name, *option);
      shorter |= g_ascii_isdigit (pair[1][0]);
    }

  return shorter;
}
