/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-lab-options.h"

#include "kh-keeper.h"

#include <string.h>

#define SUMMARY                                                                                                          \
  "A virtual internet on this machine: two hosts behind routers of any kind, and a server.\n"                            \
  "\n"                                                                                                                   \
  "  knothole-lab run --left=NAT --right=NAT -- @HOST COMMAND… [@HOST COMMAND…]\n"                                   \
  "                              run commands on @left, @right and @server, side by side; {left}, {right}, {server}\n"   \
  "                              and {server2} stand for addresses. It ends with the last one, and with its status\n"    \
  "  knothole-lab shell          a shell on each host\n"                                                                 \
  "  knothole-lab meet           two friends meet, each behind a router: whether, how, and how fast\n"                   \
  "  knothole-lab demo           two friends meet and talk, each behind a router\n"                                      \
  "  knothole-lab matrix         every pair of routers: who reaches whom, how, and how fast\n"                           \
  "  knothole-lab experiment close-then-reuse\n"                                                                         \
  "                              what is left of a mapping when its connection is closed\n"                              \
  "  knothole-lab nats           the routers that have names\n"                                                          \
  "\n"                                                                                                                   \
  "NAT is a name, perhaps with settings: port-restricted,stranger=rst,ports=sequential:2. Routers in a row are joined\n" \
  "by +, from the host outwards: linux+symmetric-block."

/* Where friends meet, there is a way between them: without any delay two routers that refuse strangers would never find each
 * other's hole open, since it is so for as long as a packet travels. */
#define FRIENDS_DELAY "20"

/* What GOption fills in, before it is checked. */
typedef struct
{
  char *delay;
  char *jitter;
  char *loss;
  char *rate;
  char *server;
  char *nats;
  int seed;
  gboolean no_server;
  gboolean silent_hops;
  gboolean help;
  gboolean version;
} Raw;

static void
raw_clear (Raw *raw)
{
  g_free (raw->delay);
  g_free (raw->jitter);
  g_free (raw->loss);
  g_free (raw->rate);
  g_free (raw->server);
  g_free (raw->nats);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Raw, raw_clear)

void
kh_lab_options_free (KhLabOptions *self)
{
  g_free (self->left);
  g_free (self->right);
  g_free (self->bindir);
  g_free (self->pcap);
  g_strfreev (self->nats);
  g_strfreev (self->handed_on);
  g_strfreev (self->arguments);
  g_free (self->help);
  g_free (self);
}

static const char *const command_names[] = { "run", "shell", "meet", "demo", "matrix", "experiment", "nats" };

/* Of a number that was not given. */
#define UNSET (-1)

G_GNUC_PRINTF (2, 3)
static gboolean
fail (GError **error, const char *format, ...)
{
  va_list values;
  g_autofree char *message = NULL;

  va_start (values, format);
  message = g_strdup_vprintf (format, values);
  va_end (values);
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, message);

  return FALSE;
}

static gboolean
read_command (KhLabOptions *self, const char *word, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (command_names); i++)
    if (g_str_equal (command_names[i], word))
      {
        self->command = i;
        return TRUE;
      }

  return fail (error, "There is no command \"%s\". There are run, shell, meet, demo, matrix, experiment and nats.",
               word);
}

static gboolean
has_friends (KhLabCommand command)
{
  return command == KH_LAB_MEET || command == KH_LAB_DEMO || command == KH_LAB_MATRIX;
}

#define FOR(command) (1u << KH_LAB_##command)

/* An option that would change nothing is a misunderstanding. */
static gboolean
check_applies (const KhLabOptions *self, const Raw *raw, GError **error)
{
  const struct
  {
    const char *name;
    gboolean given;
    guint commands;
  } options[] = {
    { "left", self->left != NULL, FOR (RUN) | FOR (SHELL) | FOR (MEET) | FOR (DEMO) },
    { "right", self->right != NULL, FOR (RUN) | FOR (SHELL) | FOR (MEET) | FOR (DEMO) | FOR (EXPERIMENT) },
    { "pcap", self->pcap != NULL, FOR (RUN) | FOR (SHELL) | FOR (MEET) | FOR (DEMO) },
    { "server", raw->server != NULL, FOR (RUN) | FOR (SHELL) | FOR (MEET) | FOR (DEMO) | FOR (MATRIX) },
    { "nats", raw->nats != NULL, FOR (MATRIX) | FOR (EXPERIMENT) },
    { "rounds", self->rounds != UNSET, FOR (MATRIX) },
    { "jobs", self->jobs != UNSET, FOR (MATRIX) },
    { "timeout", self->timeout != UNSET, FOR (MEET) | FOR (DEMO) | FOR (MATRIX) },
    { "json", self->json, FOR (MEET) | FOR (MATRIX) | FOR (EXPERIMENT) },
    { "text", self->text, FOR (DEMO) },
    { "once", self->once, FOR (DEMO) },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (options); i++)
    if (options[i].given && (options[i].commands & 1u << self->command) == 0)
      return fail (error, "--%s is not for %s.", options[i].name, command_names[self->command]);
  if (self->arguments[0] != NULL && self->command != KH_LAB_RUN && self->command != KH_LAB_EXPERIMENT)
    return fail (error, "%s takes no \"%s\".", command_names[self->command], self->arguments[0]);

  return TRUE;
}

static gboolean
read_links (KhLabOptions *self, const Raw *raw, GError **error)
{
  const char *delay = raw->delay == NULL && has_friends (self->command) ? FRIENDS_DELAY : raw->delay;
  const struct
  {
    const char *key;
    const char *value;
  } given[] = { { "delay", delay }, { "jitter", raw->jitter }, { "loss", raw->loss }, { "rate", raw->rate } };
  KhHome *homes[] = { &self->network.left, &self->network.right };

  for (gsize i = 0; i < G_N_ELEMENTS (given); i++)
    for (gsize n = 0; n < G_N_ELEMENTS (homes); n++)
      if (given[i].value != NULL &&
          !kh_link_settings_set (&homes[n]->up, &homes[n]->down, given[i].key, given[i].value, error))
        return FALSE;

  return TRUE;
}

/* As they were given: each of the matrix' laboratories reads them again. */
static char **
collect_handed_on (const KhLabOptions *self, const Raw *raw)
{
  g_autofree char *seed = raw->seed >= 0 ? g_strdup_printf ("%d", raw->seed) : NULL;
  const struct
  {
    const char *option;
    const char *value;
  } given[] = {
    { "delay", raw->delay }, { "jitter", raw->jitter }, { "loss", raw->loss },      { "rate", raw->rate },
    { "seed", seed },        { "server", raw->server }, { "bindir", self->bindir },
  };
  g_autoptr (GPtrArray) words = g_ptr_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (given); i++)
    if (given[i].value != NULL)
      g_ptr_array_add (words, g_strdup_printf ("--%s=%s", given[i].option, given[i].value));
  if (raw->silent_hops)
    g_ptr_array_add (words, g_strdup ("--silent-hops"));
  g_ptr_array_add (words, NULL);

  return (char **) g_ptr_array_free (g_steal_pointer (&words), FALSE);
}

static gboolean
read_nats (KhLabOptions *self, const char *text, GError **error)
{
  KhHome home = { 0 };

  if (text == NULL)
    return TRUE;
  if (*text == '\0')
    return fail (error, "--nats names no router.");
  /* A comma separates names, but where there are settings it separates these, and ";" the routers. */
  self->nats = g_strsplit (text, strpbrk (text, ";=") != NULL ? ";" : ",", -1);
  for (char **nat = self->nats; *nat != NULL; nat++)
    if (!kh_home_parse (&home, *nat, error))
      return FALSE;

  return TRUE;
}

static gboolean
check_range (const char *option, int value, int low, int high, GError **error)
{
  return (value >= low && value <= high) || fail (error, "--%s takes a number from %d to %d.", option, low, high);
}

static gboolean
check (KhLabOptions *self, const Raw *raw, GError **error)
{
  self->server = KH_SERVER_KNOTHOLE;
  if (raw->server != NULL && !kh_server_kind_parse (raw->server, &self->server))
    return fail (error, "--server=%s: it takes knothole, genuine or none.", raw->server);
  if (raw->no_server)
    self->server = KH_SERVER_NONE;
  if (self->pcap != NULL && g_str_has_prefix (self->pcap, KH_KEEPER_FOLDER "/"))
    return fail (error, "--pcap=%s: inside a laboratory that folder is another one. Choose a file elsewhere.",
                 self->pcap);
  if (self->server == KH_SERVER_NONE && has_friends (self->command))
    return fail (error, "Friends meet at a server: %s cannot do without one.", command_names[self->command]);
  self->network.expired = !raw->silent_hops;
  self->network.seed = raw->seed >= 0 ? (guint32) raw->seed : g_random_int ();
  self->handed_on = collect_handed_on (self, raw);
  self->network.same_home = g_str_equal (self->right, "same");

  return check_range ("rounds", self->rounds, 1, 1000, error) && check_range ("jobs", self->jobs, 1, 32, error) &&
         check_range ("timeout", self->timeout, 1, 600, error) && read_links (self, raw, error) &&
         kh_home_parse (&self->network.left, self->left, error) &&
         (self->network.same_home || kh_home_parse (&self->network.right, self->right, error)) &&
         read_nats (self, raw->nats, error);
}

/* What follows the command, without the "--" that ends our own options. */
static gboolean
read_words (KhLabOptions *self, char **words, GError **error)
{
  if (words[0] != NULL && g_str_equal (words[0], "--"))
    words++;
  if (words[0] == NULL)
    return fail (error, "What is to be done? knothole-lab --help tells what there is.");
  if (!read_command (self, words[0], error))
    return FALSE;
  words++;
  if (words[0] != NULL && g_str_equal (words[0], "--"))
    words++;
  self->arguments = g_strdupv (words);

  return TRUE;
}

static GOptionContext *
make_context (KhLabOptions *self, Raw *raw)
{
  const GOptionEntry entries[] = {
    { "left", 0, 0, G_OPTION_ARG_STRING, &self->left, "The left host's routers (port-restricted)", "NAT" },
    { "right", 0, 0, G_OPTION_ARG_STRING, &self->right,
      "The right one's; same: behind the left one's (experiment: open)", "NAT" },
    { "delay", 0, 0, G_OPTION_ARG_STRING, &raw->delay, "One way on each access link, or UP/DOWN (0; 20 for friends)",
      "MS" },
    { "jitter", 0, 0, G_OPTION_ARG_STRING, &raw->jitter, "So much more or less", "MS" },
    { "loss", 0, 0, G_OPTION_ARG_STRING, &raw->loss, "Of the packets", "PERCENT" },
    { "rate", 0, 0, G_OPTION_ARG_STRING, &raw->rate, "Megabits in a second", "MBIT" },
    { "pcap", 0, 0, G_OPTION_ARG_FILENAME, &self->pcap, "Write every packet, with what became of it", "FILE" },
    { "server", 0, 0, G_OPTION_ARG_STRING, &raw->server, "knothole, genuine (wormhole mailbox and coturn), none",
      "KIND" },
    { "no-server", 0, 0, G_OPTION_ARG_NONE, &raw->no_server, "The same as --server=none", NULL },
    { "bindir", 0, 0, G_OPTION_ARG_FILENAME, &self->bindir, "Where Knothole's programs are", "FOLDER" },
    { "silent-hops", 0, 0, G_OPTION_ARG_NONE, &raw->silent_hops, "The internet sends no ICMP time exceeded", NULL },
    { "seed", 0, 0, G_OPTION_ARG_INT, &raw->seed, "The same random ports and losses again", "N" },
    { "nats", 0, 0, G_OPTION_ARG_STRING, &raw->nats, "matrix, experiment: these, by , (by ; with settings)", "NAT,…" },
    { "rounds", 0, 0, G_OPTION_ARG_INT, &self->rounds, "matrix: how often each pair (1)", "N" },
    { "jobs", 0, 0, G_OPTION_ARG_INT, &self->jobs, "matrix: laboratories at once (12)", "N" },
    { "timeout", 0, 0, G_OPTION_ARG_INT, &self->timeout, "meet, matrix, demo: to reach the friend (6)", "SECONDS" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &self->json, "Results as JSON", NULL },
    { "text", 0, 0, G_OPTION_ARG_NONE, &self->text, "demo: in the terminal anyway", NULL },
    { "once", 0, 0, G_OPTION_ARG_NONE, &self->once, "demo: the windows close by themselves", NULL },
    { "help", 'h', 0, G_OPTION_ARG_NONE, &raw->help, "Show this", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &raw->version, "Print the version and exit", NULL },
    G_OPTION_ENTRY_NULL,
  };
  GOptionContext *context = g_option_context_new ("COMMAND");

  g_option_context_set_summary (context, SUMMARY);
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_add_main_entries (context, entries, NULL);

  return context;
}

static void
fill_defaults (KhLabOptions *self)
{
  if (self->left == NULL)
    self->left = g_strdup ("port-restricted");
  /* The experiment asks what one router does: the other host is to have none that could do it too. */
  if (self->right == NULL)
    self->right = g_strdup (self->command == KH_LAB_EXPERIMENT ? "open" : "port-restricted");
  if (self->rounds == UNSET)
    self->rounds = 1;
  if (self->jobs == UNSET)
    self->jobs = 12;
  if (self->timeout == UNSET)
    self->timeout = 6;
}

/**
 * kh_lab_options_parse:
 * @arguments: the program's name and its arguments
 * @error: return location: %G_OPTION_ERROR
 *
 * Returns: (transfer full) (nullable): what to do
 */
KhLabOptions *
kh_lab_options_parse (char **arguments, GError **error)
{
  g_autoptr (KhLabOptions) self = g_new0 (KhLabOptions, 1);
  g_auto (Raw) raw = { .seed = -1 };
  g_autoptr (GOptionContext) context = make_context (self, &raw);
  g_auto (GStrv) words = g_strdupv (arguments);

  self->rounds = self->jobs = self->timeout = UNSET;
  if (!g_option_context_parse_strv (context, &words, error))
    return NULL;
  if (raw.help || raw.version)
    {
      self->command = raw.help ? KH_LAB_HELP : KH_LAB_VERSION;
      self->help = g_option_context_get_help (context, TRUE, NULL);
      return g_steal_pointer (&self);
    }

  if (!read_words (self, words + 1, error) || !check_applies (self, &raw, error))
    return NULL;
  fill_defaults (self);
  if (!check (self, &raw, error))
    return NULL;

  return g_steal_pointer (&self);
}
