/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-json.h"
#include "kh-mailbox-core.h"
#include "kh-test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exchanges with the core, as tables of steps:
 *
 *   "+a"         client a connects (its welcome is checked here)   "-a"   it goes
 *   "+a home"    the same, and it uses the share of that owner
 *   "a: {…}"     it sends; its `ack` is checked here
 *   "a< {…}"     what it is sent next; "*" stands for any text
 *   "a!"         it is dropped
 *   "@600"       so many seconds pass
 *   "prune 2"    the store is pruned, and so many mailboxes go
 *   "count 2 1"  so many mailboxes and nameplates are there
 *
 * A client is one letter. In place of " stands ', in place of ' its escape. "$M" in a message is the mailbox
 * of the last `claimed`, "$N" the nameplate of the last `allocated`. What nobody expects is a failure. */

typedef struct
{
  KhMailboxCore *core;
  KhMailboxTime now;
  guint64 ids[128];
  guint64 last_id;
  GQueue inbox[128];
  gboolean dropped[128];
  char *mailbox;
  char *nameplate;
  const char *step;
} Play;

static JsonObject *
parse (const char *text)
{
  g_autofree char *quoted = g_strdelimit (g_strdup (text), "'", '"');
  g_autoptr (GError) error = NULL;
  JsonObject *object = kh_json_parse_object (quoted, strlen (quoted), &error);

  g_assert_no_error (error);
  return object;
}

static guint
find_client (Play *play, guint64 id)
{
  for (guint i = 0; i < G_N_ELEMENTS (play->ids); i++)
    if (play->ids[i] == id)
      return i;

  g_error ("output for nobody, at %s", play->step);
}

static void
assert_time (Play *play, JsonObject *message, const char *member)
{
  JsonNode *node = json_object_get_member (message, member);

  g_assert_true (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_DOUBLE);
  g_assert_cmpfloat (json_node_get_double (node), <=, play->now.real / 1e6);
  json_object_remove_member (message, member);
}

/* The parser's objects are immutable, and the times are to be taken out. */
static JsonObject *
parse_output (Play *play, const char *text)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *message;

  g_assert_true (json_parser_load_from_data (parser, text, -1, NULL));
  message = json_object_ref (json_node_get_object (json_parser_get_root (parser)));
  assert_time (play, message, "server_tx");
  if (json_object_has_member (message, "server_rx"))
    assert_time (play, message, "server_rx");

  return message;
}

static void
remember (char **place, JsonObject *message, const char *member)
{
  const char *value = kh_json_get_string (message, member);

  if (value == NULL)
    return;
  g_free (*place);
  *place = g_strdup (value);
}

static void
collect (Play *play)
{
  g_autoptr (GPtrArray) output = kh_mailbox_core_take_output (play->core);

  for (guint i = 0; i < output->len; i++)
    {
      KhMailboxOutput *one = g_ptr_array_index (output, i);
      guint client = find_client (play, one->connection);
      JsonObject *message;

      g_assert_false (play->dropped[client]);
      if (one->text == NULL)
        {
          play->dropped[client] = TRUE;
          continue;
        }
      message = parse_output (play, one->text);
      remember (&play->mailbox, message, "mailbox");
      remember (&play->nameplate, message, "nameplate");
      g_queue_push_tail (&play->inbox[client], message);
    }
}

static JsonObject *
take (Play *play, guint client)
{
  JsonObject *message = g_queue_pop_head (&play->inbox[client]);

  if (message == NULL)
    g_error ("nothing came, at: %s", play->step);
  return message;
}

static gboolean
nodes_match (JsonNode *expected, JsonNode *actual)
{
  g_autoptr (GList) members = NULL;

  if (JSON_NODE_HOLDS_VALUE (expected) && g_strcmp0 (json_node_get_string (expected), "*") == 0)
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (expected) || !JSON_NODE_HOLDS_OBJECT (actual))
    return json_node_equal (expected, actual);

  members = json_object_get_members (json_node_get_object (expected));
  if (g_list_length (members) != json_object_get_size (json_node_get_object (actual)))
    return FALSE;
  for (GList *at = members; at != NULL; at = at->next)
    {
      JsonNode *member = json_object_get_member (json_node_get_object (actual), at->data);

      if (member == NULL || !nodes_match (json_object_get_member (json_node_get_object (expected), at->data), member))
        return FALSE;
    }

  return TRUE;
}

static void
expect (Play *play, guint client, const char *text)
{
  g_autoptr (JsonObject) expected = parse (text);
  g_autoptr (JsonObject) actual = take (play, client);
  g_autoptr (JsonNode) left = json_node_init_object (json_node_alloc (), expected);
  g_autoptr (JsonNode) right = json_node_init_object (json_node_alloc (), actual);

  if (!nodes_match (left, right))
    g_error ("got %s, at: %s", json_to_string (right, FALSE), play->step);
}

static void
assert_nothing_left (Play *play)
{
  for (guint i = 0; i < G_N_ELEMENTS (play->inbox); i++)
    {
      g_autoptr (JsonObject) message = g_queue_pop_head (&play->inbox[i]);

      if (message != NULL)
        g_error ("unexpected for %c before %s: %s", i, play->step, kh_json_to_text (message));
      if (play->dropped[i])
        g_error ("%c was dropped before %s", i, play->step);
    }
}

static void
join (Play *play, guint client, const char *owner)
{
  g_autoptr (GInetSocketAddress) address = kh_address_new ("192.0.2.1", 1000 + play->last_id);
  g_autoptr (JsonObject) welcome = NULL;

  play->ids[client] = ++play->last_id;
  kh_mailbox_core_connect (play->core, play->ids[client], address, owner, play->now);
  collect (play);
  welcome = take (play, client);
  g_assert_cmpstr (kh_json_get_string (welcome, "type"), ==, "welcome");
}

static void
say (Play *play, guint client, const char *text)
{
  g_auto (GStrv) at_m = g_strsplit (text, "$M", -1);
  g_autofree char *with_m = g_strjoinv (play->mailbox != NULL ? play->mailbox : "", at_m);
  g_auto (GStrv) at_n = g_strsplit (with_m, "$N", -1);
  g_autofree char *whole = g_strdelimit (g_strjoinv (play->nameplate != NULL ? play->nameplate : "", at_n), "'", '"');
  g_autoptr (JsonObject) sent = NULL;
  g_autoptr (JsonObject) first = NULL;

  kh_mailbox_core_receive (play->core, play->ids[client], whole, strlen (whole), play->now);
  collect (play);

  first = g_queue_peek_head (&play->inbox[client]);
  if (first == NULL || g_strcmp0 (kh_json_get_string (first, "type"), "ack") != 0)
    {
      g_steal_pointer (&first);
      return;
    }
  g_queue_pop_head (&play->inbox[client]);
  sent = parse (whole);
  g_assert_cmpstr (kh_json_get_string (first, "id"), ==, kh_json_get_string (sent, "id"));
  g_assert_true (json_object_has_member (first, "id"));
}

static void
assert_counts (Play *play, const char *text)
{
  guint expected_mailboxes, expected_nameplates, nameplates;
  gsize bytes;

  g_assert_cmpint (sscanf (text, "count %u %u", &expected_mailboxes, &expected_nameplates), ==, 2);
  g_assert_cmpuint (kh_mailbox_core_count (play->core, &nameplates, &bytes), ==, expected_mailboxes);
  g_assert_cmpuint (nameplates, ==, expected_nameplates);
  if (expected_mailboxes == 0)
    g_assert_cmpuint (bytes, ==, 0);
}

static void
do_step (Play *play, const char *step)
{
  guint client = step[0] == '+' || step[0] == '-' ? step[1] : step[0];

  play->step = step;
  if (step[1] == '<')
    {
      expect (play, client, step + 2);
      return;
    }
  if (step[1] == '!')
    {
      if (!play->dropped[client])
        g_error ("not dropped: %s", step);
      play->dropped[client] = FALSE;
      play->ids[client] = 0;
      return;
    }

  assert_nothing_left (play);
  if (step[0] == '+')
    join (play, client, step[2] == ' ' ? step + 3 : NULL);
  else if (step[0] == '-')
    kh_mailbox_core_disconnect (play->core, play->ids[client]);
  else if (step[0] == '@')
    {
      play->now.monotonic += g_ascii_strtoll (step + 1, NULL, 10) * G_USEC_PER_SEC;
      play->now.real += g_ascii_strtoll (step + 1, NULL, 10) * G_USEC_PER_SEC;
    }
  else if (g_str_has_prefix (step, "prune "))
    g_assert_cmpuint (kh_mailbox_core_prune (play->core, play->now), ==, atoi (step + 6));
  else if (g_str_has_prefix (step, "count "))
    assert_counts (play, step);
  else
    say (play, client, step + 2);
}

static void
play_with (const KhMailboxLimits *limits, const char *const *steps)
{
  Play play = { .core = kh_mailbox_core_new (limits), .now = { 1000, G_GINT64_CONSTANT (1700000000000000) } };

  for (gsize i = 0; steps[i] != NULL; i++)
    do_step (&play, steps[i]);
  play.step = "the end";
  assert_nothing_left (&play);

  kh_mailbox_core_free (play.core);
  g_free (play.mailbox);
  g_free (play.nameplate);
}

#define PLAY(...) play_with (NULL, (const char *const[]){ __VA_ARGS__, NULL })
#define PLAY_WITH(limits, ...) play_with (limits, (const char *const[]){ __VA_ARGS__, NULL })
#define BIND(client, side) "+" client, client ": {'type':'bind','appid':'app','side':'" side "','id':'1'}"
#define OPEN(client, mailbox) client ": {'type':'open','mailbox':'" mailbox "','id':'2'}"
#define ADD(client, phase, body) client ": {'type':'add','phase':'" phase "','body':'" body "','id':'3'}"
#define GOT(client, side, phase, body)                                                                                 \
  client "< {'type':'message','side':'" side "','phase':'" phase "','body':'" body "','id':'3'}"
#define CLAIM(client, nameplate) client ": {'type':'claim','nameplate':'" nameplate "','id':'4'}"
#define CLAIMED(client) client "< {'type':'claimed','mailbox':'*'}"
#define CLOSE(client, mailbox) client ": {'type':'close','mailbox':'" mailbox "','mood':'happy','id':'5'}"
#define CLOSED(client) client "< {'type':'closed'}"
#define RELEASE(client, nameplate) client ": {'type':'release','nameplate':'" nameplate "','id':'6'}"
#define RELEASED(client) client "< {'type':'released'}"
#define ERROR(client, text) client "< {'type':'error','error':'" text "','orig':'*'}"

static void
test_happy (void)
{
  PLAY (BIND ("a", "A"), "a: {'type':'allocate','id':'x'}", "a< {'type':'allocated','nameplate':'*'}",
        CLAIM ("a", "$N"), CLAIMED ("a"), OPEN ("a", "$M"), ADD ("a", "pake", "00"), GOT ("a", "A", "pake", "00"),
        BIND ("b", "B"), CLAIM ("b", "$N"), CLAIMED ("b"), OPEN ("b", "$M"), GOT ("b", "A", "pake", "00"),
        ADD ("b", "pake", "11"), GOT ("a", "B", "pake", "11"), GOT ("b", "B", "pake", "11"), RELEASE ("b", "$N"),
        RELEASED ("b"), "count 1 1", RELEASE ("a", "$N"), RELEASED ("a"), "count 1 0", ADD ("a", "version", "22"),
        GOT ("a", "A", "version", "22"), GOT ("b", "A", "version", "22"), CLOSE ("a", "$M"), CLOSED ("a"), "count 1 0",
        CLOSE ("b", "$M"), CLOSED ("b"), "count 0 0");
}

static void
test_welcome (void)
{
  static const struct
  {
    const char *address;
    const char *expected;
  } cases[] = {
    { "192.0.2.7:4711", "{\"your-address\":{\"ipv4\":\"192.0.2.7\",\"port\":4711}}" },
    { "[2001:db8::1]:1", "{\"your-address\":{\"ipv6\":\"2001:db8::1\",\"port\":1}}" },
    { NULL, "{}" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (KhMailboxCore) core = kh_mailbox_core_new (NULL);
      g_autoptr (GInetSocketAddress) address =
          cases[i].address != NULL ? kh_address_from_text (cases[i].address) : NULL;
      g_autoptr (GPtrArray) output = NULL;
      g_autoptr (JsonObject) message = NULL;
      g_autofree char *welcome = NULL;
      KhMailboxOutput *one;

      kh_mailbox_core_connect (core, 1, address, NULL, (KhMailboxTime){ 0, G_USEC_PER_SEC });
      output = kh_mailbox_core_take_output (core);
      g_assert_cmpuint (output->len, ==, 1);
      one = g_ptr_array_index (output, 0);
      message = parse (one->text);
      welcome = kh_json_to_text (kh_json_get_object (message, "welcome"));
      g_assert_cmpstr (welcome, ==, cases[i].expected);
      g_assert_nonnull (strstr (one->text, "\"server_tx\":1.0"));
    }
}

/* A third side is told so, changes nothing, and the two inside may come back. */
static void
test_crowded (void)
{
  PLAY (BIND ("a", "A"), CLAIM ("a", "4"), CLAIMED ("a"), OPEN ("a", "$M"), BIND ("b", "B"), CLAIM ("b", "4"),
        CLAIMED ("b"), BIND ("c", "C"), CLAIM ("c", "4"), ERROR ("c", "crowded"), CLAIM ("c", "5"),
        ERROR ("c", "only one claim per connection"), OPEN ("c", "$M"), ERROR ("c", "crowded"), ADD ("c", "x", "00"),
        ERROR ("c", "must open mailbox before adding"), CLOSE ("c", "$M"), ERROR ("c", "crowded"), "-a",
        BIND ("d", "A"), CLAIM ("d", "4"), CLAIMED ("d"), OPEN ("d", "$M"), ADD ("d", "x", "11"),
        GOT ("d", "A", "x", "11"), OPEN ("b", "$M"), GOT ("b", "A", "x", "11"), "c: {'type':'release','id':'7'}",
        RELEASED ("c"), "count 1 1");
}

static void
test_reclaimed (void)
{
  PLAY (BIND ("a", "A"), CLAIM ("a", "4"), CLAIMED ("a"), BIND ("b", "B"), CLAIM ("b", "4"), CLAIMED ("b"),
        RELEASE ("a", "4"), RELEASED ("a"), BIND ("c", "A"), CLAIM ("c", "4"), ERROR ("c", "reclaimed"),
        RELEASE ("c", "4"), RELEASED ("c"), RELEASE ("b", "4"), RELEASED ("b"), "count 1 0",
        /* the number is free again, with another mailbox */
        BIND ("d", "A"), CLAIM ("d", "4"), CLAIMED ("d"), "count 2 1");
}

/* The one who closes last takes the nameplate along, even where it is claimed. */
static void
test_close_while_claimed (void)
{
  PLAY (BIND ("a", "A"), CLAIM ("a", "4"), CLAIMED ("a"), OPEN ("a", "$M"), CLOSE ("a", "$M"), CLOSED ("a"),
        "count 0 0", RELEASE ("a", "4"), RELEASED ("a"), BIND ("b", "B"), CLAIM ("b", "4"), CLAIMED ("b"), "count 1 1");
}

static void
test_reconnect (void)
{
  PLAY (BIND ("a", "A"), OPEN ("a", "box"), ADD ("a", "pake", "00"), GOT ("a", "A", "pake", "00"), BIND ("b", "B"),
        OPEN ("b", "box"), GOT ("b", "A", "pake", "00"), "-a", ADD ("b", "pake", "11"), GOT ("b", "B", "pake", "11"),
        BIND ("a", "A"), OPEN ("a", "box"), GOT ("a", "A", "pake", "00"), GOT ("a", "B", "pake", "11"),
        "a: {'type':'ping','ping':7,'id':'p'}", "a< {'type':'pong','pong':7}");
}

static void
test_close (void)
{
  PLAY (BIND ("a", "A"), OPEN ("a", "box"), CLOSE ("a", "box"), CLOSED ("a"), "count 0 0", CLOSE ("a", "box"),
        ERROR ("a", "only one close per connection"), BIND ("b", "A"), CLOSE ("b", "box"), CLOSED ("b"), "count 0 0",
        /* a connection of a side that another one has closed */
        BIND ("c", "C"), OPEN ("c", "room"), BIND ("d", "C"), CLOSE ("d", "room"), CLOSED ("d"), "count 0 0",
        ADD ("c", "x", "00"), ERROR ("c", "must open mailbox before adding"), "-c");
}

static void
test_errors (void)
{
  PLAY (
      "+a", "a: {}", ERROR ("a", "missing \\u0027type\\u0027"), "a: {'type':'list'}", ERROR ("a", "must bind first"),
      "a: {'type':'nonsense'}", ERROR ("a", "must bind first"), "a: {'type':'ping'}",
      ERROR ("a", "ping requires \\u0027ping\\u0027"), "a: {'type':'bind'}",
      ERROR ("a", "bind requires \\u0027appid\\u0027"), "a: {'type':'bind','appid':'app'}",
      ERROR ("a", "bind requires \\u0027side\\u0027"), "a: {'type':'bind','appid':'app','side':'A'}",
      "a: {'type':'bind','appid':'app','side':'A'}", ERROR ("a", "already bound"), "a: {'type':'nonsense'}",
      ERROR ("a", "unknown type"), "a: {'type':'claim'}", ERROR ("a", "claim requires \\u0027nameplate\\u0027"),
      "a: {'type':'release'}", ERROR ("a", "release without nameplate must follow claim"), "a: {'type':'open'}",
      ERROR ("a", "open requires \\u0027mailbox\\u0027"), "a: {'type':'add'}",
      ERROR ("a", "must open mailbox before adding"), "a: {'type':'close'}",
      ERROR ("a", "close without mailbox must follow open"), CLAIM ("a", "4"), CLAIMED ("a"), RELEASE ("a", "5"),
      ERROR ("a", "release and claim must use same nameplate"), "a: {'type':'release'}", RELEASED ("a"),
      RELEASE ("a", "4"), ERROR ("a", "only one release per connection"), OPEN ("a", "box"), OPEN ("a", "box"),
      ERROR ("a", "only one open per connection"), "a: {'type':'add','body':'x'}",
      ERROR ("a", "missing \\u0027phase\\u0027"), "a: {'type':'add','phase':'x'}",
      ERROR ("a", "missing \\u0027body\\u0027"), CLOSE ("a", "other"),
      ERROR ("a", "open and close must use same mailbox"), "a: {'type':'allocate'}",
      "a< {'type':'allocated','nameplate':'*'}", "a: {'type':'allocate','id':'z'}",
      "a< {'type':'error','error':'you already allocated one, don\\u0027t be greedy','orig':{'type':'allocate','id':'z'}}");
}

static void
test_dropped (void)
{
  static const char *const messages[] = {
    "",
    "nonsense",
    "[]",
    "7",
    "{'type':'ping','ping':1,'id':{}}",
    "{'type':'ping','ping':1,'id':[]}",
    "{'type':'ping','ping':[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}",
    "{'type':'bind','appid':1,'side':'x'}",
    "{'type':'bind','appid':'x','side':null}",
    "{'type':'bind','appid':'x','side':'x','client_version':'x'}",
    "{'type':'bind','appid':'x','side':'x','client_version':[]}",
  };
  static const char *const bound[] = {
    "{'type':'claim','nameplate':4}",      "{'type':'claim','nameplate':''}",
    "{'type':'claim','nameplate':'four'}", "{'type':'claim','nameplate':'4 '}",
    "{'type':'claim','nameplate':'٤'}",    "{'type':'claim','nameplate':'11111111111111111111111111111111111111111'}",
    "{'type':'release','nameplate':null}", "{'type':'open','mailbox':true}",
    "{'type':'close','mailbox':7}",        "{'type':'close','mailbox':'x','mood':[]}",
  };
  static const char *const open[] = {
    "{'type':'add','phase':1,'body':''}",
    "{'type':'add','phase':'x','body':null}",
    "{'type':'close','mood':{}}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (messages); i++)
    {
      g_autofree char *step = g_strconcat ("b: ", messages[i], NULL);

      PLAY (BIND ("a", "A"), OPEN ("a", "box"), "+b", step, "b!", ADD ("a", "x", "00"), GOT ("a", "A", "x", "00"));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bound); i++)
    {
      g_autofree char *step = g_strconcat ("b: ", bound[i], NULL);

      PLAY (BIND ("a", "A"), OPEN ("a", "box"), BIND ("b", "B"), step, "b!", ADD ("a", "x", "00"),
            GOT ("a", "A", "x", "00"));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (open); i++)
    {
      g_autofree char *step = g_strconcat ("b: ", open[i], NULL);

      PLAY (BIND ("a", "A"), OPEN ("a", "box"), BIND ("b", "B"), OPEN ("b", "box"), step, "b!", ADD ("a", "x", "00"),
            GOT ("a", "A", "x", "00"), BIND ("c", "B"), OPEN ("c", "box"), GOT ("c", "A", "x", "00"));
    }
}

/* A mailbox dies 11 to 16 minutes after it was left, when pruning comes by every five. */
static void
test_pruning (void)
{
  PLAY (BIND ("a", "A"), CLAIM ("a", "4"), CLAIMED ("a"), "@300", "prune 0", "@300", "prune 0", "@59", "prune 0", "@1",
        "count 1 1", "prune 1", "count 0 0", RELEASE ("a", "4"), RELEASED ("a"));

  /* being connected, or claiming, does not keep it: having it open does, for as long as one likes */
  PLAY (BIND ("a", "A"), CLAIM ("a", "4"), CLAIMED ("a"), OPEN ("a", "$M"), "@10000", "prune 0", "@300", "prune 0",
        "-a", "@300", "prune 0", "@300", "prune 0", "@300", "prune 1", "count 0 0");

  /* open, claim and add count as activity */
  PLAY (BIND ("a", "A"), CLAIM ("a", "4"), CLAIMED ("a"), "@600", BIND ("b", "B"), CLAIM ("b", "4"), CLAIMED ("b"),
        "@600", "prune 0", OPEN ("b", "$M"), ADD ("b", "x", "00"), GOT ("b", "B", "x", "00"), "-b", "@600", "prune 0",
        "@60", "prune 1");

  /* a pruned nameplate's number and mailbox are new */
  PLAY (BIND ("a", "A"), CLAIM ("a", "4"), CLAIMED ("a"), BIND ("b", "B"), CLAIM ("b", "4"), CLAIMED ("b"), "@660",
        "prune 1", BIND ("c", "C"), CLAIM ("c", "4"), CLAIMED ("c"), BIND ("d", "D"), CLAIM ("d", "4"), CLAIMED ("d"));
}

static void
allocate (KhMailboxCore *core, guint64 connection, char **nameplate)
{
  g_autofree char *bind =
      g_strdup_printf ("{\"type\":\"bind\",\"appid\":\"app\",\"side\":\"%" G_GUINT64_FORMAT "\"}", connection);
  const char *message = "{\"type\":\"allocate\"}";
  KhMailboxTime now = { 1000, 1000 };
  g_autoptr (GPtrArray) output = NULL;
  g_autoptr (JsonObject) answer = NULL;

  kh_mailbox_core_connect (core, connection, NULL, NULL, now);
  kh_mailbox_core_receive (core, connection, bind, strlen (bind), now);
  kh_mailbox_core_receive (core, connection, message, strlen (message), now);
  output = kh_mailbox_core_take_output (core);
  answer = parse (((KhMailboxOutput *) g_ptr_array_index (output, output->len - 1))->text);
  *nameplate = g_strdup (kh_json_get_string (answer, "nameplate"));
}

static void
test_allocation (void)
{
  g_autoptr (KhMailboxCore) core = kh_mailbox_core_new (NULL);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 1; i <= 1010; i++)
    {
      char *nameplate;
      gsize digits = i <= 9 ? 1 : i <= 99 ? 2 : i <= 999 ? 3 : 4;

      allocate (core, i, &nameplate);
      if (i <= 999)
        g_assert_cmpuint (strlen (nameplate), ==, digits);
      else
        g_assert_cmpuint (strlen (nameplate), >=, digits);
      g_assert_true (g_hash_table_add (seen, nameplate));
    }
}

/* 5 is the one left of 1 to 9. */
static void
test_allocation_fills_gaps (void)
{
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func (g_free);

  for (int number = 1; number <= 9; number++)
    {
      int client = 'a' + number;

      if (number == 5)
        continue;
      g_ptr_array_add (steps, g_strdup_printf ("+%c", client));
      g_ptr_array_add (steps, g_strdup_printf ("%c: {'type':'bind','appid':'app','side':'%d'}", client, number));
      g_ptr_array_add (steps, g_strdup_printf ("%c: {'type':'claim','nameplate':'%d'}", client, number));
      g_ptr_array_add (steps, g_strdup_printf ("%c< {'type':'claimed','mailbox':'*'}", client));
    }
  g_ptr_array_add (steps, g_strdup ("+x"));
  g_ptr_array_add (steps, g_strdup ("x: {'type':'bind','appid':'app','side':'x'}"));
  g_ptr_array_add (steps, g_strdup ("x: {'type':'allocate'}"));
  g_ptr_array_add (steps, g_strdup ("x< {'type':'allocated','nameplate':'5'}"));
  g_ptr_array_add (steps, NULL);

  play_with (NULL, (const char *const *) steps->pdata);
}

static void
test_list (void)
{
  KhMailboxLimits open = kh_mailbox_default_limits;

  PLAY (BIND ("a", "A"), CLAIM ("a", "4"), CLAIMED ("a"), "a: {'type':'list'}",
        "a< {'type':'nameplates','nameplates':[]}");

  open.allow_list = TRUE;
  PLAY_WITH (&open, BIND ("a", "A"), CLAIM ("a", "4"), CLAIMED ("a"), BIND ("b", "B"), CLAIM ("b", "12"), CLAIMED ("b"),
             "+c", "c: {'type':'bind','appid':'other','side':'C'}", CLAIM ("c", "9"), CLAIMED ("c"),
             "a: {'type':'list'}", "a< {'type':'nameplates','nameplates':[{'id':'12'},{'id':'4'}]}");
}

static void
test_applications_do_not_meet (void)
{
  PLAY (BIND ("a", "A"), CLAIM ("a", "4"), CLAIMED ("a"), OPEN ("a", "box"), "+b",
        "b: {'type':'bind','appid':'other','side':'B'}", CLAIM ("b", "4"), CLAIMED ("b"), OPEN ("b", "box"),
        ADD ("b", "x", "00"), GOT ("b", "B", "x", "00"), "count 4 2");
}

static void
test_store_limits (void)
{
  KhMailboxLimits few = kh_mailbox_default_limits;
  KhMailboxLimits small = kh_mailbox_default_limits;
  KhMailboxLimits total = kh_mailbox_default_limits;

  few.max_nameplates = 1;
  few.max_mailboxes = 2;
  few.max_messages = 1;
  few.max_subscribers = 1;
  PLAY_WITH (&few, BIND ("a", "A"), CLAIM ("a", "4"), CLAIMED ("a"), BIND ("b", "B"), CLAIM ("b", "5"),
             ERROR ("b", "the server is full, try again later"), "b: {'type':'allocate'}",
             ERROR ("b", "the server is full, try again later"), OPEN ("b", "box"), OPEN ("a", "room"),
             ERROR ("a", "the server is full, try again later"), ADD ("b", "1", "00"), GOT ("b", "B", "1", "00"),
             ADD ("b", "2", "00"), ERROR ("b", "mailbox is full"), BIND ("c", "A"), OPEN ("c", "box"),
             ERROR ("c", "too many connections have this mailbox open"), CLOSE ("b", "box"), CLOSED ("b"), "count 2 1",
             OPEN ("c", "box"), GOT ("c", "B", "1", "00"));

  /* But a side that comes again takes over its own place. */
  PLAY_WITH (&few, BIND ("a", "A"), OPEN ("a", "box"), ADD ("a", "1", "00"), GOT ("a", "A", "1", "00"), BIND ("b", "A"),
             OPEN ("b", "box"), "a!", GOT ("b", "A", "1", "00"));

  small.max_mailbox_bytes = 500;
  PLAY_WITH (&small, BIND ("a", "A"), OPEN ("a", "box"), ADD ("a", "1", "0123456789"),
             GOT ("a", "A", "1", "0123456789"), ADD ("a", "2", "0123456789"), ERROR ("a", "mailbox is full"));

  total.max_total_bytes = 500;
  PLAY_WITH (&total, BIND ("a", "A"), OPEN ("a", "box"), ADD ("a", "1", "00"), GOT ("a", "A", "1", "00"),
             BIND ("b", "B"), OPEN ("b", "room"), ADD ("b", "1", "00"), ERROR ("b", "mailbox is full"),
             CLOSE ("a", "box"), CLOSED ("a"), ADD ("b", "1", "00"), GOT ("b", "B", "1", "00"));
}

#define OWNED(client, owner, side)                                                                                     \
  "+" client " " owner, client ": {'type':'bind','appid':'app','side':'" side "','id':'1'}"
#define TOO_MUCH(client) ERROR (client, "too much waits here from your address, try again later")

/* Whoever fills its own share is refused, and nobody else; what goes is given back. */
static void
test_shares (void)
{
  KhMailboxLimits few = kh_mailbox_default_limits;
  KhMailboxLimits small = kh_mailbox_default_limits;

  few.max_nameplates_per_owner = 1;
  few.max_mailboxes_per_owner = 2;
  PLAY_WITH (&few, OWNED ("a", "home", "A"), CLAIM ("a", "4"), CLAIMED ("a"), OWNED ("b", "home", "B"),
             CLAIM ("b", "5"), TOO_MUCH ("b"), "b: {'type':'allocate'}", TOO_MUCH ("b"), "count 1 1",
             /* others have their own, and joining costs nothing */
             OWNED ("c", "work", "C"), CLAIM ("c", "5"), CLAIMED ("c"), OPEN ("c", "$M"), OWNED ("d", "home", "D"),
             CLAIM ("d", "5"), CLAIMED ("d"), OPEN ("d", "$M"), BIND ("e", "E"), CLAIM ("e", "6"), CLAIMED ("e"),
             BIND ("f", "E"), CLAIM ("f", "7"), CLAIMED ("f"), "count 4 4",
             /* mailboxes */
             OPEN ("b", "box"), OWNED ("g", "home", "G"), OPEN ("g", "room"), TOO_MUCH ("g"), CLOSE ("b", "box"),
             CLOSED ("b"), OPEN ("g", "room"), "count 5 4", RELEASE ("a", "4"), RELEASED ("a"),
             "g: {'type':'allocate'}", TOO_MUCH ("g"), CLOSE ("g", "room"), CLOSED ("g"), "g: {'type':'allocate'}",
             "g< {'type':'allocated','nameplate':'*'}");

  /* going away gives nothing back, pruning does */
  PLAY_WITH (&few, OWNED ("a", "home", "A"), CLAIM ("a", "4"), CLAIMED ("a"), "-a", OWNED ("b", "home", "B"),
             CLAIM ("b", "5"), TOO_MUCH ("b"), "@660", "prune 1", OWNED ("c", "home", "C"), CLAIM ("c", "5"),
             CLAIMED ("c"));

  /* a message is its sender's, wherever it is */
  small.max_bytes_per_owner = 500;
  PLAY_WITH (&small, OWNED ("a", "home", "A"), OPEN ("a", "box"), OWNED ("b", "work", "B"), OPEN ("b", "box"),
             ADD ("b", "1", "00"), GOT ("a", "B", "1", "00"), GOT ("b", "B", "1", "00"), OWNED ("c", "work", "C"),
             OPEN ("c", "room"), ADD ("c", "1", "00"), TOO_MUCH ("c"), ADD ("a", "2", "00"), GOT ("a", "A", "2", "00"),
             GOT ("b", "A", "2", "00"), CLOSE ("a", "box"), CLOSED ("a"), ADD ("c", "1", "00"), TOO_MUCH ("c"),
             CLOSE ("b", "box"), CLOSED ("b"), ADD ("c", "1", "00"), GOT ("c", "C", "1", "00"));
}

static void
test_name_limits (void)
{
  KhMailboxLimits limits = kh_mailbox_default_limits;

  limits.max_name_bytes = 4;
  PLAY_WITH (&limits, "+a", "a: {'type':'bind','appid':'appli','side':'A'}", ERROR ("a", "appid or side is too long"),
             "a: {'type':'bind','appid':'app','side':'AAAAA'}", ERROR ("a", "appid or side is too long"),
             "a: {'type':'bind','appid':'app','side':'A'}", OPEN ("a", "mailbox"), ERROR ("a", "mailbox is too long"),
             CLOSE ("a", "mailbox"), ERROR ("a", "mailbox is too long"), OPEN ("a", "box"), ADD ("a", "phase", "00"),
             ERROR ("a", "phase is too long"), "a: {'type':'ping','ping':1,'id':'12345'}",
             ERROR ("a", "id is too long"));
}

static void
test_message_limit (void)
{
  KhMailboxLimits limits = kh_mailbox_default_limits;

  limits.max_message_bytes = 40;
  PLAY_WITH (&limits, "+a", "a: {'type':'ping','ping':'12345678901234'}", "a< {'type':'pong','pong':'12345678901234'}",
             "a: {'type':'ping','ping':'123456789012345'}", "a!");
}

/* What counts is the text that the others get: it has the sender's side and times, and more escapes than the
 * sender wrote. A DEL is one byte here and six there. */
static void
test_relayed_limit (void)
{
  KhMailboxLimits limits = kh_mailbox_default_limits;

  limits.max_relayed_bytes = 150;
  PLAY_WITH (&limits, BIND ("a", "A"), OPEN ("a", "box"), ADD ("a", "1", "0123456789"),
             GOT ("a", "A", "1", "0123456789"), ADD ("a", "2", "\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f"),
             ERROR ("a", "message is too long"), "-a", BIND ("b", "B"), OPEN ("b", "box"),
             GOT ("b", "A", "1", "0123456789"));

  /* and so does what is stored */
  limits = kh_mailbox_default_limits;
  limits.max_mailbox_bytes = 400;
  PLAY_WITH (&limits, BIND ("a", "A"), OPEN ("a", "box"), ADD ("a", "1", "\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f"),
             ERROR ("a", "mailbox is full"), ADD ("a", "1", "0123456789"), GOT ("a", "A", "1", "0123456789"));
}

static void
add_of_length (KhMailboxCore *core, gsize length, JsonObject **answer, gsize *relayed)
{
  const char *start = "{\"type\":\"add\",\"phase\":\"1\",\"body\":\"";
  g_autofree char *filling = g_strnfill (length - strlen (start) - 2, 'x');
  g_autofree char *text = g_strconcat (start, filling, "\"}", NULL);
  g_autoptr (GPtrArray) output = NULL;
  KhMailboxOutput *last;

  kh_mailbox_core_receive (core, 1, text, strlen (text), (KhMailboxTime){ 0, 1 });
  output = kh_mailbox_core_take_output (core);
  last = g_ptr_array_index (output, output->len - 1);
  *relayed = strlen (last->text);
  *answer = parse (last->text);
}

/* With the limits as they are: nobody is sent more than 128 KiB for what another one added. */
static void
test_largest_add (void)
{
  static const char *const hello[] = { "{\"type\":\"bind\",\"appid\":\"app\",\"side\":\"A\"}",
                                       "{\"type\":\"open\",\"mailbox\":\"box\"}" };
  g_autoptr (KhMailboxCore) core = kh_mailbox_core_new (NULL);
  g_autoptr (JsonObject) refused = NULL;
  g_autoptr (JsonObject) relayed = NULL;
  gsize length;

  kh_mailbox_core_connect (core, 1, NULL, NULL, (KhMailboxTime){ 0, 1 });
  for (gsize i = 0; i < G_N_ELEMENTS (hello); i++)
    kh_mailbox_core_receive (core, 1, hello[i], strlen (hello[i]), (KhMailboxTime){ 0, 1 });

  add_of_length (core, 128 * 1024, &refused, &length);
  g_assert_cmpstr (kh_json_get_string (refused, "error"), ==, "message is too long");
  g_assert_cmpuint (length, <=, 128 * 1024 - 64);
  add_of_length (core, 128 * 1024 - 200, &relayed, &length);
  g_assert_cmpstr (kh_json_get_string (relayed, "type"), ==, "message");
  g_assert_cmpuint (length, <=, 128 * 1024 - 64);
}

static void
test_rate (void)
{
  KhMailboxLimits limits = kh_mailbox_default_limits;

  limits.message_burst = 2;
  limits.messages_per_second = 1;
  PLAY_WITH (&limits, "+a", "+b", "a: {'type':'ping','ping':1}", "a< {'type':'pong','pong':1}",
             "a: {'type':'ping','ping':2}", "a< {'type':'pong','pong':2}", "@1", "a: {'type':'ping','ping':3}",
             "a< {'type':'pong','pong':3}", "a: {'type':'ping','ping':4}",
             "a< {'type':'error','error':'too many messages','orig':{}}", "a!", "b: {'type':'ping','ping':1}",
             "b< {'type':'pong','pong':1}");
}

static void
test_bound (void)
{
  g_autoptr (KhMailboxCore) core = kh_mailbox_core_new (NULL);
  const char *bind = "{\"type\":\"bind\",\"appid\":\"app\",\"side\":\"A\"}";

  kh_mailbox_core_connect (core, 1, NULL, NULL, (KhMailboxTime){ 0, 1 });
  g_assert_false (kh_mailbox_core_is_bound (core, 1));
  kh_mailbox_core_receive (core, 1, bind, strlen (bind), (KhMailboxTime){ 0, 1 });
  g_assert_true (kh_mailbox_core_is_bound (core, 1));
  g_assert_false (kh_mailbox_core_is_bound (core, 2));
}

/* With the limits as they are: a few messages of the largest size at once, then one every two seconds. */
static void
test_rate_of_long_messages (void)
{
  g_autoptr (KhMailboxCore) core = kh_mailbox_core_new (NULL);
  const char *start = "{\"type\":\"ping\",\"ping\":1";
  g_autofree char *filling = g_strnfill (128 * 1024 - strlen (start) - 1, ' ');
  g_autofree char *text = g_strconcat (start, filling, "}", NULL);
  int answered = 0;

  kh_mailbox_core_connect (core, 1, NULL, NULL, (KhMailboxTime){ 0, 1 });
  for (gboolean dropped = FALSE; !dropped; answered++)
    {
      g_autoptr (GPtrArray) output = NULL;

      kh_mailbox_core_receive (core, 1, text, strlen (text), (KhMailboxTime){ 0, 1 });
      output = kh_mailbox_core_take_output (core);
      dropped = ((KhMailboxOutput *) g_ptr_array_index (output, output->len - 1))->text == NULL;
    }
  g_assert_cmpint (answered - 1, ==, 4);
}

/* What comes late for a connection that is gone is nothing. */
static void
test_gone (void)
{
  PLAY (BIND ("a", "A"), OPEN ("a", "box"), "-a", "-a", ADD ("a", "x", "00"), BIND ("b", "B"), OPEN ("b", "box"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mailbox-core/happy", test_happy);
  g_test_add_func ("/mailbox-core/welcome", test_welcome);
  g_test_add_func ("/mailbox-core/crowded", test_crowded);
  g_test_add_func ("/mailbox-core/reclaimed", test_reclaimed);
  g_test_add_func ("/mailbox-core/close-while-claimed", test_close_while_claimed);
  g_test_add_func ("/mailbox-core/reconnect", test_reconnect);
  g_test_add_func ("/mailbox-core/close", test_close);
  g_test_add_func ("/mailbox-core/errors", test_errors);
  g_test_add_func ("/mailbox-core/dropped", test_dropped);
  g_test_add_func ("/mailbox-core/pruning", test_pruning);
  g_test_add_func ("/mailbox-core/allocation", test_allocation);
  g_test_add_func ("/mailbox-core/allocation-fills-gaps", test_allocation_fills_gaps);
  g_test_add_func ("/mailbox-core/list", test_list);
  g_test_add_func ("/mailbox-core/applications-do-not-meet", test_applications_do_not_meet);
  g_test_add_func ("/mailbox-core/store-limits", test_store_limits);
  g_test_add_func ("/mailbox-core/shares", test_shares);
  g_test_add_func ("/mailbox-core/name-limits", test_name_limits);
  g_test_add_func ("/mailbox-core/message-limit", test_message_limit);
  g_test_add_func ("/mailbox-core/relayed-limit", test_relayed_limit);
  g_test_add_func ("/mailbox-core/largest-add", test_largest_add);
  g_test_add_func ("/mailbox-core/rate", test_rate);
  g_test_add_func ("/mailbox-core/rate-of-long-messages", test_rate_of_long_messages);
  g_test_add_func ("/mailbox-core/bound", test_bound);
  g_test_add_func ("/mailbox-core/gone", test_gone);
  return g_test_run ();
}
