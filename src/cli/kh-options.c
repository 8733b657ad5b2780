/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kh-options.h"

#include "kh-code.h"
#include "kh-address.h"
#include "kh-move.h"
#include "kh-offer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything as it stands on the command line. Texts are bytes (FILENAME): under LC_ALL=C GLib would refuse a name in
 * Chinese, and we take UTF-8 whatever the locale. */
typedef struct
{
  char *mailbox;
  char **stun;
  char *relay;
  gboolean no_relay;
  int port;
  char *plan;
  int timeout;
  int wait;
  int words;
  char *name;
  gboolean json;
  char *report;
  gboolean extended;
  gboolean full_addresses;
  gboolean version;
} Raw;

static void
raw_clear (Raw *raw)
{
  g_free (raw->mailbox);
  g_strfreev (raw->stun);
  g_free (raw->relay);
  g_free (raw->plan);
  g_free (raw->name);
  g_free (raw->report);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Raw, raw_clear)

static gboolean refuse (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
refuse (GError **error, const char *format, ...)
{
  va_list values;

  va_start (values, format);
  g_propagate_error (error, g_error_new_valist (G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, format, values));
  va_end (values);
  return FALSE;
}

static gboolean
parse_raw (Raw *raw, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "mailbox", 0, 0, G_OPTION_ARG_FILENAME, &raw->mailbox, "The meeting server, ws:// or wss://", "URL" },
    { "stun", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw->stun, "A STUN server over TCP (may be repeated)",
      "HOST[:PORT]" },
    { "relay", 0, 0, G_OPTION_ARG_FILENAME, &raw->relay, "A relay for when no direct path exists (not used yet)",
      "HOST:PORT" },
    { "no-relay", 0, 0, G_OPTION_ARG_NONE, &raw->no_relay, "Never use a relay", NULL },
    { "port", 0, 0, G_OPTION_ARG_INT, &raw->port, "The local TCP port (default: any)", "PORT" },
    { "plan", 0, 0, G_OPTION_ARG_FILENAME, &raw->plan, "Only these moves: lan, ipv6, dial, prime, guess, predict, dice, reuse", "MOVE[,MOVE…]" },
    { "timeout", 0, 0, G_OPTION_ARG_INT, &raw->timeout, "Time to reach the friend once met (default 30)", "SECONDS" },
    { "wait", 0, 0, G_OPTION_ARG_INT, &raw->wait, "How long an invite stays valid (default 3600)", "SECONDS" },
    { "words", 0, 0, G_OPTION_ARG_INT, &raw->words, "Words in a new code (default 3)", "N" },
    { "name", 0, 0, G_OPTION_ARG_FILENAME, &raw->name, "What your friend sees you called", "TEXT" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &raw->json, "Print events as JSON lines", NULL },
    { "report", 0, 0, G_OPTION_ARG_FILENAME, &raw->report, "Write everything that happened to a file", "FILE" },
    { "long", 0, 0, G_OPTION_ARG_NONE, &raw->extended, "check: also how long an idle connection lives, minutes", NULL },
    { "full-addresses", 0, 0, G_OPTION_ARG_NONE, &raw->full_addresses, "check: do not shorten addresses", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &raw->version, "Print the version", NULL },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("invite | join CODE|LINK | check");

  g_option_context_set_summary (context,
                                "Connects two friends' computers directly, and lets them talk.\n\n"
                                "  invite             make a code, wait for the friend, talk\n"
                                "  join CODE|LINK     use a friend's code, talk\n"
                                "  check              tell what this network does with TCP, and what that means");
  g_option_context_set_description (context,
                                    "Each line of standard input is a message; your friend's messages are printed,\n"
                                    "one a line. End of input (Ctrl+D) says goodbye.");
  g_option_context_add_main_entries (context, entries, NULL);

  return g_option_context_parse (context, argc, argv, error);
}

static gboolean
take_plan (KhSettings *settings, const char *plan, GError **error)
{
  g_auto (GStrv) names = g_strsplit (plan, ",", -1);

  settings->moves = 0;
  for (gsize i = 0; names[i] != NULL; i++)
    {
      KhMove move;

      if (!kh_move_from_name (names[i], &move))
        return refuse (error, "“%s” is not a move. There are: lan, ipv6, dial.", names[i]);
      settings->moves |= 1u << move;
    }
  return settings->moves != 0 || refuse (error, "--plan needs at least one move.");
}

static gboolean
take_numbers (KhSettings *settings, const Raw *raw, GError **error)
{
  if (raw->port < 0 || raw->port > G_MAXUINT16)
    return refuse (error, "--port takes a number from 1 to 65535, or 0 for any.");
  if (raw->timeout < 1 || raw->timeout > 3600)
    return refuse (error, "--timeout takes 1 to 3600 seconds.");
  if (raw->wait < 1 || raw->wait > 24 * 3600)
    return refuse (error, "--wait takes 1 to 86400 seconds.");
  if (raw->words < 1 || raw->words > 16)
    return refuse (error, "--words takes 1 to 16.");

  settings->port = raw->port;
  settings->timeout_seconds = raw->timeout;
  settings->wait_seconds = raw->wait;
  settings->words = raw->words;
  return TRUE;
}

static gboolean
take_texts (KhSettings *settings, Raw *raw, GError **error)
{
  if (raw->mailbox != NULL)
    {
      if (!g_str_has_prefix (raw->mailbox, "ws://") && !g_str_has_prefix (raw->mailbox, "wss://"))
        return refuse (error, "--mailbox takes a URL that starts with wss:// or ws://.");
      g_free (settings->mailbox_url);
      settings->mailbox_url = g_steal_pointer (&raw->mailbox);
    }
  if (raw->relay != NULL && !kh_address_is_host_and_port (raw->relay))
    return refuse (error, "--relay takes HOST:PORT.");
  for (gsize i = 0; raw->stun != NULL && raw->stun[i] != NULL; i++)
    if (!kh_address_is_host_and_port (raw->stun[i]))
      return refuse (error, "--stun takes HOST or HOST:PORT, not “%s”.", raw->stun[i]);
  if (raw->stun != NULL)
    {
      g_strfreev (settings->stun_servers);
      settings->stun_servers = g_steal_pointer (&raw->stun);
    }
  if (raw->name != NULL &&
      (!g_utf8_validate (raw->name, -1, NULL) || g_utf8_strlen (raw->name, -1) > KH_OFFER_MAX_NAME))
    return refuse (error, "--name takes up to %d characters of UTF-8.", KH_OFFER_MAX_NAME);

  settings->name = g_steal_pointer (&raw->name);
  return raw->plan == NULL || take_plan (settings, raw->plan, error);
}

/* A code typed with spaces, or pasted with its sentence, comes as several arguments. */
static gboolean
take_code (KhOptions *self, char **arguments, GError **error)
{
  g_autofree char *pasted = g_strjoinv (" ", arguments);

  if (!g_utf8_validate (pasted, -1, NULL))
    return refuse (error, "The code is not UTF-8.");
  self->argument = kh_code_find (pasted);
  return TRUE;
}

static gboolean
take_command (KhOptions *self, int argc, char **argv, GError **error)
{
  const char *command = argc > 1 ? argv[1] : NULL;

  if (command == NULL)
    return refuse (error, "What shall it be, “invite”, “join CODE” or “check”? --help tells more.");
  if (strcmp (command, "invite") == 0)
    {
      self->command = KH_COMMAND_INVITE;
      return argc == 2 || refuse (error, "“invite” takes no argument. Quote texts that have spaces.");
    }
  if (strcmp (command, "join") == 0)
    {
      self->command = KH_COMMAND_JOIN;
      if (argc < 3)
        return refuse (error, "“join” needs your friend's code, such as: join 7-crossover-bedlamp-customer");
      return take_code (self, argv + 2, error);
    }
  if (strcmp (command, "check") == 0)
    {
      self->command = KH_COMMAND_CHECK;
      return argc == 2 || refuse (error, "“check” takes no argument.");
    }
  return refuse (error, "“%s” is not a command. There are: invite, join, check.", command);
}

/**
 * kh_options_parse:
 *
 * Reads the command line; `--help` and `--version` are answered and end the program.
 *
 * Returns: (transfer full): the options, or %NULL with a sentence
 */
KhOptions *
kh_options_parse (int argc, char **argv, GError **error)
{
  g_autoptr (KhOptions) self = g_new0 (KhOptions, 1);
  g_auto (Raw) raw = { .timeout = 30, .wait = 3600, .words = 3 };

  self->settings = kh_settings_new ();
  if (!parse_raw (&raw, &argc, &argv, error))
    return NULL;
  if (raw.version)
    {
      puts ("knothole-cli " KH_VERSION);
      exit (0);
    }
  if (!take_command (self, argc, argv, error) || !take_numbers (self->settings, &raw, error) ||
      !take_texts (self->settings, &raw, error))
    return NULL;

  self->json = raw.json;
  self->extended = raw.extended;
  self->full_addresses = raw.full_addresses;
  self->report = g_steal_pointer (&raw.report);
  return g_steal_pointer (&self);
}

void
kh_options_free (KhOptions *self)
{
  g_clear_pointer (&self->settings, kh_settings_free);
  g_free (self->argument);
  g_free (self->report);
  g_free (self);
}
