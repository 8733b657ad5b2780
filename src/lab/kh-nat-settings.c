/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-nat-settings.h"

#include <stdlib.h>
#include <string.h>

typedef struct
{
  const char *name;
  int value;
} Choice;

/* Long names are RFC 4787's; short ones are what people write. */
static const Choice dependences[] = {
  { "endpoint-independent", KH_NAT_ENDPOINT_INDEPENDENT },
  { "address-dependent", KH_NAT_ADDRESS_DEPENDENT },
  { "address-and-port-dependent", KH_NAT_ADDRESS_AND_PORT_DEPENDENT },
  { "none", KH_NAT_NONE },
  { "eim", KH_NAT_ENDPOINT_INDEPENDENT },
  { "adm", KH_NAT_ADDRESS_DEPENDENT },
  { "apdm", KH_NAT_ADDRESS_AND_PORT_DEPENDENT },
  { NULL },
};
static const Choice filters[] = {
  { "endpoint-independent", KH_NAT_ENDPOINT_INDEPENDENT },
  { "address-dependent", KH_NAT_ADDRESS_DEPENDENT },
  { "address-and-port-dependent", KH_NAT_ADDRESS_AND_PORT_DEPENDENT },
  { "eif", KH_NAT_ENDPOINT_INDEPENDENT },
  { "adf", KH_NAT_ADDRESS_DEPENDENT },
  { "apdf", KH_NAT_ADDRESS_AND_PORT_DEPENDENT },
  { NULL },
};
static const Choice strangers[] = {
  { "silent", KH_NAT_SILENT }, { "rst", KH_NAT_RST }, { "icmp", KH_NAT_ICMP }, { NULL }
};
static const Choice ipv6_kinds[] = {
  { "none", KH_NAT_IPV6_NONE }, { "firewall", KH_NAT_IPV6_FIREWALL }, { "open", KH_NAT_IPV6_OPEN }, { NULL }
};
static const Choice pass_or_drop[] = { { "pass", TRUE }, { "drop", FALSE }, { NULL } };
static const Choice yes_or_no[] = { { "yes", TRUE }, { "no", FALSE }, { NULL } };
static const Choice strict_or_liberal[] = { { "strict", TRUE }, { "liberal", FALSE }, { NULL } };
static const Choice icmp_or_silent[] = { { "icmp", TRUE }, { "silent", FALSE }, { NULL } };
static const Choice port_kinds[] = { { "preserving", KH_NAT_PRESERVING },
                                     { "sequential", KH_NAT_SEQUENTIAL },
                                     { "random", KH_NAT_RANDOM },
                                     { "block", KH_NAT_BLOCK },
                                     { NULL } };
static const Choice collisions[] = { { "random", FALSE }, { "next", TRUE }, { NULL } };
static const Choice pairings[] = { { "paired", TRUE }, { "arbitrary", FALSE }, { NULL } };

/* A setting that is one of a few words, or a number within limits; those that are neither have functions of their own. */
typedef struct
{
  const char *key;
  gsize offset;
  const Choice *choices;
  int low;
  int high;
} Setting;

#define FIELD(name) G_STRUCT_OFFSET (KhNatSettings, name)
#define TEN_YEARS (10 * 365 * 24 * 3600)

static const Setting simple[] = {
  { "mapping", FIELD (mapping), dependences },
  { "filtering", FIELD (filtering), filters },
  { "stranger", FIELD (stranger), strangers },
  { "bare-syn", FIELD (bare_syn), pass_or_drop },
  { "hairpin", FIELD (hairpin), yes_or_no },
  { "overload", FIELD (overload), yes_or_no },
  { "tracking", FIELD (strict), strict_or_liberal },
  { "expired", FIELD (expired), icmp_or_silent },
  { "ipv6", FIELD (ipv6), ipv6_kinds },
  { "fin", FIELD (fin_seconds), NULL, 0, TEN_YEARS },
  { "rst", FIELD (rst_seconds), NULL, 0, TEN_YEARS },
  { "idle", FIELD (idle_seconds), NULL, 1, TEN_YEARS },
  { "syn", FIELD (syn_seconds), NULL, 1, TEN_YEARS },
  { "udp", FIELD (udp_seconds), NULL, 1, TEN_YEARS },
  { "udp-stream", FIELD (udp_stream_seconds), NULL, 1, TEN_YEARS },
  { "limit", FIELD (limit), NULL, 1, 65536 },
};

static gboolean
fail (GError **error, const char *key, const char *value, const char *takes)
{
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s=%s: it takes %s.", key, value, takes);
  return FALSE;
}

static char *
list_choices (const Choice *choices)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (; choices->name != NULL; choices++)
    g_ptr_array_add (names, (gpointer) choices->name);
  g_ptr_array_add (names, NULL);

  return g_strjoinv (", ", (char **) names->pdata);
}

static gboolean
read_choice (const Choice *choices, const char *text, int *value)
{
  for (; choices->name != NULL; choices++)
    if (g_str_equal (choices->name, text))
      {
        *value = choices->value;
        return TRUE;
      }

  return FALSE;
}

static gboolean
read_number (const char *text, int low, int high, int *value)
{
  gint64 number;

  if (!g_ascii_string_to_signed (text, 10, low, high, &number, NULL))
    return FALSE;
  *value = (int) number;

  return TRUE;
}

static gboolean
set_simple (KhNatSettings *self, const Setting *setting, const char *value, GError **error)
{
  int *field = G_STRUCT_MEMBER_P (self, setting->offset);
  g_autofree char *takes = NULL;

  if (setting->choices != NULL)
    {
      takes = list_choices (setting->choices);
      return read_choice (setting->choices, value, field) || fail (error, setting->key, value, takes);
    }

  if (setting->low == 0 && g_str_equal (value, "forget"))
    {
      *field = 0;
      return TRUE;
    }
  takes =
      g_strdup_printf ("a number from %d to %d%s", setting->low, setting->high, setting->low == 0 ? ", or forget" : "");

  return read_number (value, setting->low, setting->high, field) || fail (error, setting->key, value, takes);
}

/* The range of random ports: LOW-HIGH. */
static gboolean
read_range (KhNatSettings *self, const char *text)
{
  g_auto (GStrv) ends = g_strsplit (text, "-", 2);
  int low, high;

  if (g_strv_length (ends) != 2 || !read_number (ends[0], 1, 65535, &low) || !read_number (ends[1], low, 65535, &high))
    return FALSE;
  self->port_low = (guint16) low;
  self->port_high = (guint16) high;

  return TRUE;
}

static gboolean
set_ports_detail (KhNatSettings *self, KhNatPorts kind, const char *detail)
{
  int number;

  switch (kind)
    {
    case KH_NAT_PRESERVING:
      return read_choice (collisions, detail, &self->next_on_collision);
    case KH_NAT_SEQUENTIAL:
      return read_number (detail, -1000, 1000, &self->delta) && self->delta != 0;
    case KH_NAT_RANDOM:
      return read_range (self, detail);
    case KH_NAT_BLOCK:
    default:
      if (!read_number (detail, 1, 32768, &number))
        return FALSE;
      self->block_size = (guint) number;
      return TRUE;
    }
}

static gboolean
set_ports (KhNatSettings *self, const char *value, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (value, ":", 2);
  int kind;

  if (parts[0] == NULL || !read_choice (port_kinds, parts[0], &kind) ||
      (parts[1] != NULL && !set_ports_detail (self, kind, parts[1])))
    return fail (error, "ports", value,
                 "preserving[:random|next], sequential[:STEP], random[:LOW-HIGH] or block[:SIZE]");
  self->ports = kind;

  return TRUE;
}

static gboolean
set_addresses (KhNatSettings *self, const char *value, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (value, ":", 2);
  int number;

  if (parts[0] == NULL || !read_number (parts[0], 1, KH_NAT_MAX_ADDRESSES, &number) ||
      (parts[1] != NULL && !read_choice (pairings, parts[1], &self->paired)))
    return fail (error, "addresses", value, "a number from 1 to 16, then perhaps :paired or :arbitrary");
  self->addresses = (guint) number;

  return TRUE;
}

static gboolean
set_forward (KhNatSettings *self, const char *value, GError **error)
{
  int port;

  if (!read_number (value, 1, 65535, &port) || self->n_forwards == KH_NAT_MAX_FORWARDS)
    return fail (error, "forward", value, "a port from 1 to 65535, at most eight of them");
  self->forwards[self->n_forwards++] = (guint16) port;

  return TRUE;
}

static gboolean
fail_unknown (const char *key, GError **error)
{
  GString *keys = g_string_new ("ports, addresses, forward");

  for (gsize i = 0; i < G_N_ELEMENTS (simple); i++)
    g_string_append_printf (keys, ", %s", simple[i].key);
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "A router has no setting \"%s\". It has %s; its link has delay, jitter, loss, rate.", key, keys->str);
  g_string_free (keys, TRUE);

  return FALSE;
}

/**
 * kh_nat_settings_set:
 * @self: settings
 * @key: such as `stranger`
 * @value: such as `rst`
 * @error: return location: %G_OPTION_ERROR_BAD_VALUE with the choices there are
 *
 * Returns: whether it was set
 */
gboolean
kh_nat_settings_set (KhNatSettings *self, const char *key, const char *value, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (simple); i++)
    if (g_str_equal (simple[i].key, key))
      return set_simple (self, &simple[i], value, error);

  if (g_str_equal (key, "ports"))
    return set_ports (self, value, error);
  if (g_str_equal (key, "addresses"))
    return set_addresses (self, value, error);
  if (g_str_equal (key, "forward"))
    return set_forward (self, value, error);

  return fail_unknown (key, error);
}

static char *
describe_ports (const KhNatSettings *self)
{
  switch (self->ports)
    {
    case KH_NAT_SEQUENTIAL:
      return g_strdup_printf ("sequential %+d", self->delta);
    case KH_NAT_RANDOM:
      return g_strdup ("random");
    case KH_NAT_BLOCK:
      return g_strdup_printf ("block of %u", self->block_size);
    case KH_NAT_PRESERVING:
    default:
      return g_strdup ("preserving");
    }
}

static char *
describe_lifetime (guint seconds)
{
  return seconds == 0 ? g_strdup ("forgotten") : g_strdup_printf ("%u s", seconds);
}

/* What is not the same for nearly all. */
static void
append_particulars (const KhNatSettings *self, GString *text)
{
  if (!self->bare_syn)
    g_string_append (text, ", no bare SYN passes");
  if (self->overload)
    g_string_append (text, ", ports are shared");
  if (self->hairpin)
    g_string_append (text, ", hairpin");
}

/**
 * kh_nat_settings_get_columns:
 *
 * Returns: (transfer none): heads for kh_nat_settings_describe()
 */
const char *
kh_nat_settings_get_columns (void)
{
  return "mapping       filtering     ports          stranger  after FIN  after RST";
}

/**
 * kh_nat_settings_describe:
 *
 * Returns: (transfer full): the facts in one line of columns; what a mapping or a filter depends on in short
 */
char *
kh_nat_settings_describe (const KhNatSettings *self)
{
  static const char *const words[] = { "independent", "address", "address+port", "none" };
  static const char *const stranger_words[] = { "silent", "rst", "icmp" };
  gboolean translates = self->mapping != KH_NAT_NONE;
  gboolean is_filter = self->filtering != KH_NAT_ENDPOINT_INDEPENDENT;
  gboolean remembers = translates || is_filter;
  g_autofree char *ports = describe_ports (self);
  g_autofree char *fin = describe_lifetime (self->fin_seconds);
  g_autofree char *rst = describe_lifetime (self->rst_seconds);
  GString *text = g_string_new (NULL);

  g_string_printf (text, "%-12s  %-12s  %-13s  %-8s  %-9s  %s", words[self->mapping], words[self->filtering],
                   translates ? ports : "-", remembers ? stranger_words[self->stranger] : "let in",
                   remembers ? fin : "-", remembers ? rst : "-");
  append_particulars (self, text);

  return g_string_free (text, FALSE);
}
