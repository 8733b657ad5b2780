/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-narrator.h"

#include "kh-test.h"

#include <string.h>

/* An event, given as its line of JSON without the braces and the time. */
static char *
tell (KhNarrator *narrator, const char *members)
{
  g_autofree char *line = g_strdup_printf ("{\"t\":1,%s}", members);
  g_autoptr (GError) error = NULL;
  g_autoptr (KhTrace) trace = kh_trace_from_lines (line, strlen (line), &error);
  g_autoptr (KhEvent) event = NULL;

  g_assert_no_error (error);
  event = g_list_model_get_item (G_LIST_MODEL (trace), 0);
  return kh_narrator_tell (narrator, event);
}

#define TYPE(kind) "\"type\":\"" kind "\""
#define PHASE(phase) TYPE ("session.phase") ",\"phase\":\"" phase "\""
#define START(move) TYPE ("attempt.start") ",\"id\":3,\"move\":\"" move "\",\"remote\":\"203.0.113.7:4000\""
#define END(outcome) TYPE ("attempt.end") ",\"id\":3,\"outcome\":\"" outcome "\",\"elapsed_ms\":12"
#define PATH(kind) TYPE ("path.selected") ",\"kind\":\"" kind "\",\"remote\":\"203.0.113.7:4000\",\"elapsed_ms\":40"
#define PLAN(moves, forecast) TYPE ("plan.made") ",\"moves\":[" moves "],\"forecast\":\"" forecast "\""

typedef struct
{
  const char *members;
  const char *sentence;
} Case;

static void
check_cases (const Case *cases, gsize n_cases)
{
  for (gsize i = 0; i < n_cases; i++)
    {
      g_autoptr (KhNarrator) narrator = kh_narrator_new ();
      g_autofree char *sentence = tell (narrator, cases[i].members);

      g_assert_cmpstr (sentence, ==, cases[i].sentence);
    }
}

static void
test_meeting (void)
{
  static const Case cases[] = {
    { PHASE ("starting"), NULL },
    { PHASE ("inviting"), "Waiting for your friend." },
    { PHASE ("meeting"), "Somebody used the code. Checking that it is the same on both sides…" },
    { PHASE ("looking"), "The code is the same on both sides. Exchanging what is known of both networks…" },
    { PHASE ("reaching"), "Trying to reach your friend…" },
    { PHASE ("connected"), "You can talk now." },
    { PHASE ("resuming"), "The path broke. Looking for another one…" },
    { PHASE ("ended"), "Goodbye." },
    { PHASE ("failed"), NULL },
    { TYPE ("session.failed") ",\"code\":\"no-path\",\"sentence\":\"No way. Try again.\"", "No way. Try again." },
    { TYPE ("mailbox.connecting") ",\"server\":\"example.org\"", "Connecting to the meeting server example.org…" },
    { TYPE ("mailbox.connected") ",\"server\":\"example.org\"", NULL },
    { TYPE ("mailbox.failed") ",\"reason\":\"it is full\"", "The meeting server could not be reached: it is full." },
    { TYPE ("mailbox.lost") ",\"reason\":\"reset\"", "The connection to the meeting server broke: reset." },
    { TYPE ("mailbox.retry") ",\"delay_ms\":1500", "Trying the meeting server again in 1.5 s." },
    { TYPE ("mailbox.motd") ",\"text\":\"Hello!\"", "The meeting server says: Hello!" },
    { TYPE ("invite.code") ",\"code\":\"7-a-b\",\"link\":\"knothole:7-a-b\"", NULL },
    { TYPE ("offer.sent") ",\"name\":\"Anna\"", NULL },
    { TYPE ("offer.received") ",\"name\":\"Bob\"", "Your friend is called Bob." },
    { TYPE ("offer.received") ",\"name\":null", NULL },
    { TYPE ("offer.received") ",\"name\":\"\"", NULL },
    { TYPE ("message.received") ",\"id\":1,\"text\":\"hi\"", NULL },
    { TYPE ("message.delivered") ",\"id\":1", NULL },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_network (void)
{
  static const Case cases[] = {
    { TYPE (
          "mapping.found") ",\"server\":\"s:1\",\"local\":\"192.168.1.2:4\",\"outside\":\"203.0.113.7:4\",\"rtt_ms\":9",
      "From outside you are 203.0.113.7:4, as s:1 sees it." },
    { TYPE ("stun.failed") ",\"server\":\"s:1\",\"reason\":\"no answer\"",
      "A STUN server did not help (s:1: no answer); others may." },
    { TYPE ("stun.closed") ",\"server\":\"s:1\"", NULL },
    { TYPE ("listen.failed") ",\"reason\":\"x\"", NULL },
    { PLAN ("", "impossible"), "There is nothing to try. A direct path is impossible." },
    { PLAN ("\"lan\"", "likely"), "Trying the local network. A direct path is likely." },
    { PLAN ("\"ipv6\"", "possible"), "Trying IPv6. A direct path is possible." },
    { PLAN ("\"dial\"", "unlikely"), "Trying the internet. A direct path is unlikely." },
    { PLAN ("\"lan\",\"ipv6\"", "likely"), "Trying the local network and IPv6. A direct path is likely." },
    { PLAN ("\"lan\",\"dial\"", "likely"), "Trying the local network and the internet. A direct path is likely." },
    { PLAN ("\"ipv6\",\"dial\"", "likely"), "Trying IPv6 and the internet. A direct path is likely." },
    { PLAN ("\"lan\",\"ipv6\",\"dial\"", "?"), "Trying the local network, IPv6 and the internet." },
    { TYPE ("target.refused") ",\"move\":\"lan\",\"remote\":\"1.2.3.4:5\",\"reason\":\"it is our own\"",
      "The address 1.2.3.4:5 is left out: it is our own." },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_attempts (void)
{
  static const Case cases[] = {
    { START ("lan"), "Attempt 3: dialling 203.0.113.7:4000 on the local network." },
    { START ("ipv6"), "Attempt 3: dialling 203.0.113.7:4000 over IPv6." },
    { START ("dial"), "Attempt 3: dialling 203.0.113.7:4000 over the internet." },
    { START ("relay"), "Attempt 3: dialling 203.0.113.7:4000." },
    { TYPE ("attempt.accepted") ",\"id\":4,\"move\":\"dial\",\"remote\":\"203.0.113.9:40001\",\"known\":false",
      "Attempt 4: somebody connects from 203.0.113.9:40001." },
    { TYPE ("attempt.connected") ",\"id\":3,\"elapsed_ms\":12", NULL },
    { END ("connected"), "Attempt 3: connected after 12 ms." },
    { END ("refused"), "Attempt 3: refused after 12 ms." },
    { END ("silent"), "Attempt 3: no answer within 12 ms." },
    { END ("unreachable"), "Attempt 3: found no way there, after 12 ms." },
    { END ("busy"), "Attempt 3: is being made already (12 ms)." },
    { END ("not-friend"), "Attempt 3: was not your friend, after 12 ms." },
    { END ("lost-race"), "Attempt 3: was not needed, after 12 ms." },
    { END ("cancelled"), "Attempt 3: was not needed, after 12 ms." },
    { END ("eaten"), "Attempt 3: ended after 12 ms." },
    { PATH ("lan"), "Connected directly on the local network, to 203.0.113.7:4000, after 40 ms." },
    { PATH ("ipv6"), "Connected directly over IPv6, to 203.0.113.7:4000, after 40 ms." },
    { PATH ("dial"), "Connected directly over the internet, to 203.0.113.7:4000, after 40 ms." },
    { PATH ("dice"), "Connected directly over the internet, to 203.0.113.7:4000, after 40 ms." },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

/* Anybody may have made the report that is shown. */
static void
test_hostile (void)
{
  static const char *const kinds[] = {
    "session.phase",
    "session.failed",
    "mailbox.connecting",
    "mailbox.failed",
    "mailbox.lost",
    "mailbox.retry",
    "mailbox.motd",
    "mapping.found",
    "stun.failed",
    "offer.received",
    "plan.made",
    "attempt.start",
    "attempt.accepted",
    "attempt.end",
    "target.refused",
    "path.selected",
    "attempt.connected",
    "no.such",
    "",
  };
  static const char *const names[] = { "phase",   "sentence", "server",  "reason",     "text",
                                       "outside", "name",     "moves",   "move",       "remote",
                                       "id",      "kind",     "outcome", "elapsed_ms", "delay_ms" };
  static const char *const values[] = {
    "null",
    "7",
    "-1e300",
    "99999999999999",
    "[]",
    "[[1],null,7,{},\"lan\",\"no\"]",
    "{}",
    "\"%s%n\"",
    "\"\\u001b[2J\\n\\u202e\"",
  };

  for (gsize kind = 0; kind < G_N_ELEMENTS (kinds); kind++)
    for (gsize value = 0; value <= G_N_ELEMENTS (values); value++)
      {
        g_autoptr (KhNarrator) narrator = kh_narrator_new ();
        g_autoptr (GString) members = g_string_new (NULL);
        g_autofree char *sentence = NULL;

        g_string_printf (members, TYPE ("%s"), kinds[kind]);
        for (gsize i = 0; value < G_N_ELEMENTS (values) && i < G_N_ELEMENTS (names); i++)
          g_string_append_printf (members, ",\"%s\":%s", names[i], values[value]);
        sentence = tell (narrator, members->str);
        g_assert_true (sentence == NULL ||
                       (strpbrk (sentence, "\x1b\n") == NULL && strstr (sentence, "\u202e") == NULL));
      }
}

static void
assert_tells (KhNarrator *narrator, const char *members, gboolean news)
{
  g_autofree char *sentence = tell (narrator, members);

  g_assert_cmpint (sentence != NULL, ==, news);
}

static void
test_no_news_twice (void)
{
  g_autoptr (KhNarrator) narrator = kh_narrator_new ();

  assert_tells (narrator, TYPE ("mapping.found") ",\"server\":\"a\",\"outside\":\"203.0.113.7:1\"", TRUE);
  assert_tells (narrator, TYPE ("mapping.found") ",\"server\":\"b\",\"outside\":\"203.0.113.7:1\"", FALSE);
  assert_tells (narrator, TYPE ("mapping.found") ",\"server\":\"b\"", FALSE);
  assert_tells (narrator, TYPE ("mapping.found") ",\"server\":\"b\",\"outside\":\"203.0.113.7:2\"", TRUE);
  assert_tells (narrator, TYPE ("stun.failed") ",\"server\":\"a\",\"reason\":\"x\"", TRUE);
  assert_tells (narrator, TYPE ("stun.failed") ",\"server\":\"b\",\"reason\":\"y\"", FALSE);
  assert_tells (narrator, END ("refused"), TRUE);
  assert_tells (narrator, END ("refused"), TRUE);
}

/* A text as long as the network allows is not a sentence. */
static void
test_bounded (void)
{
  g_autoptr (KhNarrator) narrator = kh_narrator_new ();
  g_autofree char *long_text = g_strnfill (20000, 'x');
  g_autofree char *members = g_strdup_printf (TYPE ("mailbox.motd") ",\"text\":\"%s\"", long_text);
  g_autofree char *sentence = tell (narrator, members);

  g_assert_cmpuint (strlen (sentence), ==, 1000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/narrator/meeting", test_meeting);
  g_test_add_func ("/narrator/network", test_network);
  g_test_add_func ("/narrator/attempts", test_attempts);
  g_test_add_func ("/narrator/hostile", test_hostile);
  g_test_add_func ("/narrator/no-news-twice", test_no_news_twice);
  g_test_add_func ("/narrator/bounded", test_bounded);
  return g_test_run ();
}
