/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-home.h"

#include <string.h>

static void
parse (KhHome *home, const char *text)
{
  g_autoptr (GError) error = NULL;

  kh_home_parse (home, text, &error);
  g_assert_no_error (error);
}

/* The names that people know are what these names mean. */
static void
test_profiles (void)
{
  static const struct
  {
    const char *name;
    KhNatDependence mapping;
    KhNatDependence filtering;
    KhNatPorts ports;
    KhNatStranger stranger;
  } expected[] = {
    { "open", KH_NAT_NONE, KH_NAT_ENDPOINT_INDEPENDENT, KH_NAT_PRESERVING, KH_NAT_SILENT },
    { "firewall", KH_NAT_NONE, KH_NAT_ADDRESS_AND_PORT_DEPENDENT, KH_NAT_PRESERVING, KH_NAT_SILENT },
    { "full-cone", KH_NAT_ENDPOINT_INDEPENDENT, KH_NAT_ENDPOINT_INDEPENDENT, KH_NAT_PRESERVING, KH_NAT_SILENT },
    { "restricted-cone", KH_NAT_ENDPOINT_INDEPENDENT, KH_NAT_ADDRESS_DEPENDENT, KH_NAT_PRESERVING, KH_NAT_SILENT },
    { "port-restricted", KH_NAT_ENDPOINT_INDEPENDENT, KH_NAT_ADDRESS_AND_PORT_DEPENDENT, KH_NAT_PRESERVING,
      KH_NAT_SILENT },
    { "port-restricted-rst", KH_NAT_ENDPOINT_INDEPENDENT, KH_NAT_ADDRESS_AND_PORT_DEPENDENT, KH_NAT_PRESERVING,
      KH_NAT_RST },
    { "symmetric", KH_NAT_ADDRESS_AND_PORT_DEPENDENT, KH_NAT_ADDRESS_AND_PORT_DEPENDENT, KH_NAT_RANDOM, KH_NAT_SILENT },
    { "symmetric-rst", KH_NAT_ADDRESS_AND_PORT_DEPENDENT, KH_NAT_ADDRESS_AND_PORT_DEPENDENT, KH_NAT_RANDOM,
      KH_NAT_RST },
    { "symmetric-sequential", KH_NAT_ADDRESS_AND_PORT_DEPENDENT, KH_NAT_ADDRESS_AND_PORT_DEPENDENT, KH_NAT_SEQUENTIAL,
      KH_NAT_SILENT },
    { "symmetric-block", KH_NAT_ADDRESS_AND_PORT_DEPENDENT, KH_NAT_ADDRESS_AND_PORT_DEPENDENT, KH_NAT_BLOCK,
      KH_NAT_SILENT },
    { "icmp-reject", KH_NAT_ENDPOINT_INDEPENDENT, KH_NAT_ADDRESS_AND_PORT_DEPENDENT, KH_NAT_PRESERVING, KH_NAT_ICMP },
    { "linux", KH_NAT_ENDPOINT_INDEPENDENT, KH_NAT_ADDRESS_AND_PORT_DEPENDENT, KH_NAT_PRESERVING, KH_NAT_SILENT },
    { "linux-random", KH_NAT_ADDRESS_AND_PORT_DEPENDENT, KH_NAT_ADDRESS_AND_PORT_DEPENDENT, KH_NAT_RANDOM,
      KH_NAT_SILENT },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      KhHome home = { 0 };

      parse (&home, expected[i].name);
      g_assert_cmpuint (home.n_routers, ==, 1);
      g_assert_cmpstr (home.routers[0].name, ==, expected[i].name);
      g_assert_cmpint (home.routers[0].mapping, ==, expected[i].mapping);
      g_assert_cmpint (home.routers[0].filtering, ==, expected[i].filtering);
      g_assert_cmpint (home.routers[0].ports, ==, expected[i].ports);
      g_assert_cmpint (home.routers[0].stranger, ==, expected[i].stranger);
    }
}

static void
test_changed (void)
{
  KhHome home = { 0 };

  parse (&home, "port-restricted,stranger=rst,ports=sequential:2,fin=forget,delay=40/5,forward=80,forward=443");
  g_assert_cmpint (home.routers[0].stranger, ==, KH_NAT_RST);
  g_assert_cmpint (home.routers[0].ports, ==, KH_NAT_SEQUENTIAL);
  g_assert_cmpint (home.routers[0].delta, ==, 2);
  g_assert_cmpuint (home.routers[0].fin_seconds, ==, 0);
  g_assert_cmpuint (home.routers[0].n_forwards, ==, 2);
  g_assert_cmpint (home.up.delay, ==, 40000);
  g_assert_cmpint (home.down.delay, ==, 5000);

  parse (&home, "cgn");
  g_assert_cmpuint (home.n_routers, ==, 2);
  g_assert_cmpint (home.routers[1].ports, ==, KH_NAT_BLOCK);
  /* What follows the name of a row is for its last router. */
  parse (&home, "cgn,ports=block:64");
  g_assert_cmpuint (home.routers[1].block_size, ==, 64);
  g_assert_cmpint (home.routers[0].ports, ==, KH_NAT_PRESERVING);
  parse (&home, "linux,hairpin=yes+symmetric");
  g_assert_cmpuint (home.n_routers, ==, 2);
  g_assert_true (home.routers[0].hairpin);
  g_assert_false (home.routers[1].hairpin);
}

/* The name that is wrong, and the choices there are. */
static void
test_wrong (void)
{
  static const struct
  {
    const char *text;
    const char *named;
    const char *choice;
  } wrong[] = {
    { "cone", "\"cone\"", "full-cone" },
    { "", "\"\"", "port-restricted" },
    { "linux+", "\"\"", "full-cone" },
    { "linux,stranger=loud", "stranger=loud", "silent, rst, icmp" },
    { "linux,strangers=rst", "\"strangers\"", "stranger" },
    { "linux,rst", "\"rst\"", "setting=value" },
    { "linux,ports=odd", "ports=odd", "sequential[:STEP]" },
    { "linux,ports=sequential:0", "ports=sequential:0", "sequential[:STEP]" },
    { "linux,ports=random:9-3", "ports=random:9-3", "LOW-HIGH" },
    { "linux,ports=block:0", "ports=block:0", "SIZE" },
    { "linux,ports=", "ports=", "preserving" },
    { "linux,fin=-1", "fin=-1", "forget" },
    { "linux,idle=forget", "idle=forget", "from 1" },
    { "linux,limit=70000", "limit=70000", "65536" },
    { "linux,addresses=17", "addresses=17", "16" },
    { "linux,forward=0", "forward=0", "65535" },
    { "linux,delay=-1", "delay=-1", "milliseconds" },
    { "linux,delay=nan", "delay=nan", "milliseconds" },
    { "linux,loss=101", "loss=101", "per cent" },
    { "linux,rate=1/", "rate=1/", "UP/DOWN" },
    { "linux+linux+linux+linux", "3 routers", "row" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      KhHome home = { 0 };
      g_autoptr (GError) error = NULL;

      g_assert_false (kh_home_parse (&home, wrong[i].text, &error));
      g_assert_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, wrong[i].named));
      g_assert_nonnull (strstr (error->message, wrong[i].choice));
    }
}

/* Each has a sentence and facts, and no two are the same. */
static void
test_described (void)
{
  gsize n;
  const KhProfile *profiles = kh_profile_get_all (&n);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  g_assert_cmpuint (n, >=, 16);
  for (gsize i = 0; i < n; i++)
    {
      KhHome home = { 0 };
      GString *facts = g_string_new (NULL);

      parse (&home, profiles[i].name);
      for (guint r = 0; r < home.n_routers; r++)
        {
          g_autofree char *text = kh_nat_settings_describe (&home.routers[r]);

          g_string_append (facts, text);
        }
      g_assert_cmpuint (strlen (profiles[i].summary), >, 10);
      g_test_message ("%s: %s", profiles[i].name, facts->str);
      g_assert_true (g_hash_table_add (seen, g_string_free (facts, FALSE)));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/home/profiles", test_profiles);
  g_test_add_func ("/home/changed", test_changed);
  g_test_add_func ("/home/wrong", test_wrong);
  g_test_add_func ("/home/described", test_described);

  return g_test_run ();
}
