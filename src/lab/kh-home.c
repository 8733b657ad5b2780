/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-home.h"

#include <string.h>

/* What every router is unless it says otherwise: a port-restricted NAT with the lifetimes of RFC 5382 and of Linux. */
#define BASE                                                                                                           \
  "mapping=endpoint-independent,filtering=address-and-port-dependent,ports=sequential:1,ports=random:1024-65535,"      \
  "ports=block:512,ports=preserving:random,overload=no,stranger=silent,bare-syn=pass,hairpin=no,tracking=strict,"      \
  "expired=icmp,ipv6=none,fin=120,rst=10,idle=7440,syn=120,udp=120,udp-stream=120,limit=65536,addresses=1:paired"
#define SYMMETRIC "mapping=address-and-port-dependent,ports=random"
#define CARRIER "ports=block,rst=240,syn=240"

static const KhProfile profiles[] = {
  { "open", "mapping=none,filtering=endpoint-independent,tracking=liberal",
    "On the internet itself, with nothing in between" },
  { "firewall", "mapping=none", "A public address behind a stateful firewall" },
  { "full-cone", "filtering=endpoint-independent,hairpin=yes", "Whoever knows the mapping may send to it" },
  { "restricted-cone", "filtering=address-dependent", "Whoever was sent to may answer, from any port" },
  { "port-restricted", "", "Only who was sent to may answer: most homes" },
  { "port-restricted-rst", "stranger=rst", "Only who was sent to may answer; strangers are refused" },
  { "symmetric", SYMMETRIC, "Another random port for everyone it talks to" },
  { "symmetric-rst", SYMMETRIC ",stranger=rst", "Another random port for everyone; strangers are refused" },
  { "symmetric-sequential", "mapping=address-and-port-dependent,ports=sequential",
    "Another port for everyone, counted up" },
  { "symmetric-block", "mapping=address-and-port-dependent,ports=block",
    "Another port for everyone, of a block that is this customer's" },
  { "cgn", "port-restricted+carrier", "A home router behind a carrier's NAT, as in mobile networks" },
  { "carrier", CARRIER, "A carrier's NAT alone: the outer half of cgn" },
  { "no-bare-syn", "bare-syn=drop", "Lets nothing begin from outside, not even through an open hole" },
  { "icmp-reject", "stranger=icmp", "Tells strangers that they are not let in" },
  { "fin-forgets", "ports=random,fin=forget,rst=forget", "Forgets a mapping as soon as its connection is closed" },
  { "linux", "overload=yes,idle=432000,udp=30,udp-stream=120", "Linux with nftables, masquerade" },
  { "linux-random", SYMMETRIC ",overload=yes,idle=432000,udp=30,udp-stream=120",
    "Linux with nftables, masquerade fully-random" },
};

/**
 * kh_profile_get_all:
 * @n_profiles: (out): how many
 *
 * Returns: the routers that have names
 */
const KhProfile *
kh_profile_get_all (gsize *n_profiles)
{
  *n_profiles = G_N_ELEMENTS (profiles);

  return profiles;
}

static const KhProfile *
find_profile (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (profiles); i++)
    if (g_str_equal (profiles[i].name, name))
      return &profiles[i];

  return NULL;
}

static gboolean
fail_unknown (const char *name, GError **error)
{
  GString *names = g_string_new (profiles[0].name);

  for (gsize i = 1; i < G_N_ELEMENTS (profiles); i++)
    g_string_append_printf (names, ", %s", profiles[i].name);
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "There is no router \"%s\". There are %s.", name,
               names->str);
  g_string_free (names, TRUE);

  return FALSE;
}

/* Less than this is meant for nothing, which is 0. */
#define LEAST 0.0001

static gboolean
read_amount (const char *text, double factor, double most, double *amount)
{
  char *end;
  double value = g_ascii_strtod (text, &end);

  if (end == text || *end != '\0' || !(value >= 0 && value <= most) || (value > 0 && value < LEAST))
    return FALSE;
  *amount = value * factor;

  return TRUE;
}

/**
 * kh_link_settings_set:
 * @up: one direction
 * @down: the other
 * @key: `delay` and `jitter` in milliseconds, `loss` in per cent, `rate` in megabits in a second
 * @value: one number for both, or `UP/DOWN`
 * @error: return location
 *
 * Returns: whether it was set
 */
gboolean
kh_link_settings_set (KhLinkSettings *up, KhLinkSettings *down, const char *key, const char *value, GError **error)
{
  static const struct
  {
    const char *key;
    double factor;
    double most;
    const char *takes;
  } keys[] = {
    { "delay", 1000, 10000, "milliseconds, at most 10000" },
    { "jitter", 1000, 10000, "milliseconds, at most 10000" },
    { "loss", 1, 100, "per cent of the packets" },
    { "rate", 1e6, 1e6, "megabits in a second" },
  };
  g_auto (GStrv) parts = g_strsplit (value, "/", 2);
  double amounts[2];

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      if (!g_str_equal (keys[i].key, key))
        continue;
      for (int n = 0; n < 2; n++)
        if (parts[0] == NULL ||
            !read_amount (parts[n == 1 && parts[1] != NULL], keys[i].factor, keys[i].most, &amounts[n]))
          {
            g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                         "%s=%s: it takes %s, or two of them, UP/DOWN.", key, value, keys[i].takes);
            return FALSE;
          }
      for (int n = 0; n < 2; n++)
        {
          KhLinkSettings *link = n == 0 ? up : down;

          if (i < 2)
            *(i == 0 ? &link->delay : &link->jitter) = (gint64) amounts[n];
          else
            *(i == 2 ? &link->loss : &link->rate) = amounts[n];
        }
      return TRUE;
    }

  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "A link has no setting \"%s\".", key);
  return FALSE;
}

static gboolean
is_link_key (const char *key)
{
  static const char *const keys[] = { "delay", "jitter", "loss", "rate", NULL };

  return g_strv_contains (keys, key);
}

/* KEY=VALUE,… for the router at the end of the row. */
static gboolean
apply (KhHome *self, const char *const *settings, GError **error)
{
  for (; *settings != NULL; settings++)
    {
      g_auto (GStrv) pair = g_strsplit (*settings, "=", 2);
      gboolean done;

      if (pair[0] == NULL || pair[1] == NULL)
        {
          g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "\"%s\" is not of the form setting=value.",
                       *settings);
          return FALSE;
        }
      if (is_link_key (pair[0]))
        done = kh_link_settings_set (&self->up, &self->down, pair[0], pair[1], error);
      else
        done = kh_nat_settings_set (&self->routers[self->n_routers - 1], pair[0], pair[1], error);
      if (!done)
        return FALSE;
    }

  return TRUE;
}

static gboolean parse_row (KhHome *self, const char *text, GError **error);

/* PROFILE[,SETTING=VALUE…] */
static gboolean
add_routers (KhHome *self, const char *text, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  g_auto (GStrv) base = g_strsplit (BASE, ",", -1);
  const char *name = parts[0] != NULL ? parts[0] : "";
  const KhProfile *profile = find_profile (name);
  g_auto (GStrv) is = NULL;
  KhNatSettings *router;

  if (profile == NULL)
    return fail_unknown (name, error);
  if (strchr (profile->is, '+') != NULL)
    return parse_row (self, profile->is, error) && apply (self, (const char *const *) parts + 1, error);
  if (self->n_routers == KH_HOME_MAX_ROUTERS)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "There is room for %d routers in a row.",
                   KH_HOME_MAX_ROUTERS);
      return FALSE;
    }

  router = &self->routers[self->n_routers++];
  g_strlcpy (router->name, name, sizeof router->name);
  is = g_strsplit (profile->is, ",", -1);

  return apply (self, (const char *const *) base, error) && apply (self, (const char *const *) is, error) &&
         apply (self, (const char *const *) parts + 1, error);
}

static gboolean
parse_row (KhHome *self, const char *text, GError **error)
{
  g_auto (GStrv) row = g_strsplit (text, "+", -1);

  for (char **part = row; *part != NULL; part++)
    if (!add_routers (self, *part, error))
      return FALSE;

  return TRUE;
}

/**
 * kh_home_parse:
 * @self: (inout): its links are kept where @text says nothing about them
 * @text: `PROFILE[,SETTING=VALUE…][+PROFILE…]`, from the host outwards
 * @error: return location: %G_OPTION_ERROR_BAD_VALUE, with the name and the choices
 *
 * Returns: whether it was understood
 */
gboolean
kh_home_parse (KhHome *self, const char *text, GError **error)
{
  memset (self->routers, 0, sizeof self->routers);
  self->n_routers = 0;
  if (*text == '\0')
    return fail_unknown (text, error);

  return parse_row (self, text, error);
}
