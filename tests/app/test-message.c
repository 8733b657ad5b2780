/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-message.h"

#include <string.h>

static void
test_plain_text (void)
{
  static const struct
  {
    const char *text;
    const char *shown;
  } cases[] = {
    { "Hello", "Hello" },
    { "你好 👋 äé", "你好 👋 äé" },
    { "one\ntwo\r\nthree\rfour", "one\ntwo\nthree\nfour" },
    { "one\342\200\250two", "one\ntwo" },
    { "a\tb", "a b" },
    { "\033[31mred\033[0m\007\010", "[31mred[0m" },
    { "\302\233c1", "c1" },
    { "txt.\342\200\256exe", "txt.exe" },
    { "\342\201\246left\342\201\251\342\200\217", "left" },
    { "zero\342\200\213width\357\273\277", "zerowidth" },
    { "\360\237\221\251\342\200\215\360\237\222\273", "\360\237\221\251\342\200\215\360\237\222\273" },
    { "bad\377byte", "bad\357\277\275byte" },
    { "<b>&amp;</b>", "<b>&amp;</b>" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (KhMessage) message = kh_message_new (KH_MESSAGE_RECEIVED, i, NULL, cases[i].text);

      g_assert_cmpstr (kh_message_get_text (message), ==, cases[i].shown);
      g_assert_cmpuint (kh_message_get_id (message), ==, i);
    }
}

static void
test_bounded (void)
{
  g_autofree char *text = g_strnfill (1024 * 1024, 'x');
  g_autoptr (KhMessage) message = kh_message_new (KH_MESSAGE_RECEIVED, 1, NULL, text);

  g_assert_cmpuint (strlen (kh_message_get_text (message)), ==, 65536);
}

static char *
without_time (const char *note)
{
  g_autoptr (GRegex) time = g_regex_new ("[0-9]{2}:[0-9]{2}", 0, 0, NULL);

  return g_regex_replace_literal (time, note, -1, 0, "TIME", 0, NULL);
}

static void
test_notes (void)
{
  static const char *const notes[] = {
    [KH_MESSAGE_RECEIVED] = "TIME",
    [KH_MESSAGE_SENT] = "TIME · Sent",
    [KH_MESSAGE_DELIVERED] = "TIME · Delivered",
    [KH_MESSAGE_UNDELIVERED] = "TIME · Not delivered",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (notes); i++)
    {
      g_autoptr (KhMessage) message = kh_message_new (i, 1, NULL, "x");
      g_autofree char *note = kh_message_dup_note (message);
      g_autofree char *timeless = without_time (note);

      g_assert_cmpstr (timeless, ==, notes[i]);
    }
}

static void
test_labels (void)
{
  static const struct
  {
    KhMessageState state;
    const char *author;
    const char *label;
  } cases[] = {
    { KH_MESSAGE_RECEIVED, "Bo", "Bo: x (TIME)" },
    { KH_MESSAGE_RECEIVED, "%1$s %n", "%1$s %n: x (TIME)" },
    { KH_MESSAGE_RECEIVED, NULL, "Your friend: x (TIME)" },
    { KH_MESSAGE_RECEIVED, "", "Your friend: x (TIME)" },
    { KH_MESSAGE_SENT, NULL, "You: x (TIME · Sent)" },
    { KH_MESSAGE_DELIVERED, NULL, "You: x (TIME · Delivered)" },
    { KH_MESSAGE_UNDELIVERED, NULL, "You: x (TIME · Not delivered)" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (KhMessage) message = kh_message_new (cases[i].state, 1, cases[i].author, "x");
      g_autofree char *label = kh_message_dup_label (message);
      g_autofree char *timeless = without_time (label);

      g_assert_cmpstr (timeless, ==, cases[i].label);
    }
}

static void
count_notify (GObject *object, GParamSpec *pspec, gpointer user_data)
{
  (*(guint *) user_data)++;
}

static void
test_change_is_told (void)
{
  g_autoptr (KhMessage) message = kh_message_new (KH_MESSAGE_SENT, 1, NULL, "x");
  g_autofree char *note = NULL;
  guint told = 0;

  g_signal_connect (message, "notify::note", G_CALLBACK (count_notify), &told);
  kh_message_set_state (message, KH_MESSAGE_SENT);
  g_assert_cmpuint (told, ==, 0);
  kh_message_set_state (message, KH_MESSAGE_DELIVERED);
  g_assert_cmpuint (told, ==, 1);
  g_object_get (message, "note", &note, NULL);
  g_assert_true (g_str_has_suffix (note, "Delivered"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/message/plain-text", test_plain_text);
  g_test_add_func ("/message/bounded", test_bounded);
  g_test_add_func ("/message/notes", test_notes);
  g_test_add_func ("/message/labels", test_labels);
  g_test_add_func ("/message/change-is-told", test_change_is_told);
  return g_test_run ();
}
