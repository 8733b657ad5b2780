/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-json.h"
#include "kh-redact.h"
#include "kh-test.h"

static void
test_text (void)
{
  static const struct
  {
    const char *text;
    const char *shortened; /* NULL: the same */
  } cases[] = {
    { "203.0.113.7:4000", "203.0.x.x:4000" },
    { "203.0.113.7", "203.0.x.x" },
    { "[2001:db8:1:2::3]:4000", "[2001:db8:x]:4000" },
    { "2001:db8:1:2::3", "2001:db8:x" },
    { "2001:DB8:1:2:3:4:5:6", "2001:db8:x" },
    { "2001::1", "2001:0:x" },
    { "2001:db8::%eth0", "2001:db8:x%eth0" },
    { "2002:cb00:7107::1", "2002:cb00:x" },
    { "::ffff:203.0.113.7", "::ffff:203.0.x.x" },
    { "::ffff:cb00:7107", "::ffff:203.0.x.x" },
    { "[::ffff:203.0.113.7]:4000", "[::ffff:203.0.x.x]:4000" },
    { "64:ff9b::203.0.113.7", "64:ff9b::203.0.x.x" },
    { "2001:db8:1:2::203.0.113.7", "2001:db8:x" },
    /* In sentences. */
    { "No answer from 203.0.113.7:4000.", "No answer from 203.0.x.x:4000." },
    { "At 203.0.113.7, 198.51.100.9.", "At 203.0.x.x, 198.51.x.x." },
    { "At 2001:db8:1::3.", "At 2001:db8:x." },
    { "At 2001:db8:1::3: refused", "At 2001:db8:x: refused" },
    { "Failed:2001:db8:1::3", "Failed:2001:db8:x" },
    { "failed:203.0.113.7:4", "failed:203.0.x.x:4" },
    { "ws://203.0.113.7:4000/v1", "ws://203.0.x.x:4000/v1" },
    { "ws://[2001:db8:1::3]/v1", "ws://[2001:db8:x]/v1" },
    { "ws%3A%2F%2F203.0.113.7%3A4000", "ws%3A%2F%2F203.0.x.x%3A4000" },
    { "“203.0.113.7”是", "“203.0.x.x”是" },
    { "10.203.0.113.7", "10.203.0.x.x" },
    { "2001:db8:1:2:3:4:5:6:4000", "2001:db8:x:4000" },
    { "203.000.113.007", "203.000.x.x" },
    /* What stays. */
    { "", NULL },
    { "192.168.1.2:4000", NULL },
    { "10.0.0.1", NULL },
    { "172.16.0.1", NULL },
    { "100.64.0.1:1", NULL },
    { "169.254.1.1", NULL },
    { "127.0.0.1:4000", NULL },
    { "0.0.0.0", NULL },
    { "[::1]:4000", NULL },
    { "[::]:4000", NULL },
    { "fe80::211:22ff:fe33:4455%eth0", "fe80::x%eth0" },
    { "[fd12:3456:789a:1::2]:4000", "[fd00::x]:4000" },
    { "ff02::1", NULL },
    { "::ffff:192.168.1.2", NULL },
    { "stun.example.org:3478", NULL },
    { "relay.magic-wormhole.io", NULL },
    { "wss://relay.example.org:4000/v1", NULL },
    { "At 12:34:56, after 31 ms: refused.", NULL },
    { "version 1.2.3", NULL },
    { "999.1.2.3", NULL },
    { "1.2.3.4567", NULL },
    { "std::string KhSession::phase add: face: ::", NULL },
    { "endpoint-independent", NULL },
    { "203.0.x.x:4000", NULL },
    { "[2001:db8:x]:4000", NULL },
    { "你好", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *shortened = kh_redact_text (cases[i].text);

      g_assert_cmpstr (shortened, ==, cases[i].shortened != NULL ? cases[i].shortened : cases[i].text);
    }
}

/* A stranger's text may be made of nothing but beginnings. */
static void
test_long_text (void)
{
  static const char *const pieces[] = { ":", "1.", "1.2.3.", "a:", "2001:", "::1 ", "203.0.113.7 " };

  for (gsize i = 0; i < G_N_ELEMENTS (pieces); i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autofree char *shortened = NULL;

      while (text->len < 20000)
        g_string_append (text, pieces[i]);
      shortened = kh_redact_text (text->str);
      g_assert_nonnull (shortened);
    }
}

static void
test_node (void)
{
  static const char text[] =
      "{\"a\":[1,true,null,\"203.0.113.7:1\",{\"b\":[\"x 203.0.113.7\",[\"::1\"]]}],\"c\":{},\"d\":1.5}";
  g_autoptr (JsonObject) object = kh_json_parse_object (text, sizeof text - 1, NULL);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonNode) shortened = NULL;
  g_autofree char *result = NULL;

  json_node_set_object (node, object);
  shortened = kh_redact_node (node);
  result = json_to_string (shortened, FALSE);
  g_assert_cmpstr (result, ==,
                   "{\"a\":[1,true,null,\"203.0.x.x:1\",{\"b\":[\"x 203.0.x.x\",[\"::1\"]]}],\"c\":{},\"d\":1.5}");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/redact/text", test_text);
  g_test_add_func ("/redact/long-text", test_long_text);
  g_test_add_func ("/redact/node", test_node);
  return g_test_run ();
}
