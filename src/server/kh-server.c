/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "kh-server"

#include "config.h"

#include "kh-address.h"
#include "kh-mailbox-server.h"
#include "kh-server-options.h"
#include "kh-stun-server.h"

#include <glib-unix.h>
#include <json-glib/json-glib.h>
#include <locale.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define COUNTS_SECONDS 60
/* Descriptors for anything but clients. */
#define OWN_DESCRIPTORS 64

typedef struct
{
  const KhServerOptions *options;
  KhServerLog *log;
  KhStunServer *stun;
  KhMailboxServer *mailbox;
  GMainLoop *loop;
  KhStunServerStatus last_stun;
  KhMailboxServerStatus last_mailbox;
} Server;

/* Output is bytes, whatever the locale. */
static void
complain (const char *sentence)
{
  fprintf (stderr, "knothole-server: %s\n", sentence);
}

/* Each client is a descriptor. Returns how many clients each service can have. */
static guint
fit_descriptor_limit (guint wanted, gboolean dial_back)
{
  const rlim_t own =
      KH_MAILBOX_SERVER_SPARE_CONNECTIONS + OWN_DESCRIPTORS + (dial_back ? KH_DIAL_BACK_MAX_DESCRIPTORS : 0);
  struct rlimit limit;
  guint possible;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0)
    return wanted;

  limit.rlim_cur = CLAMP (2 * (rlim_t) wanted + own, limit.rlim_cur, limit.rlim_max);
  setrlimit (RLIMIT_NOFILE, &limit);
  possible = limit.rlim_cur > own + 2 ? MIN (wanted, (limit.rlim_cur - own) / 2) : 1;
  if (possible < wanted)
    fprintf (stderr,
             "knothole-server: The system lets this program have %lu open files, so each service takes %u connections "
             "instead of %u. Raise that limit with \"ulimit -n\" or LimitNOFILE=.\n",
             (unsigned long) limit.rlim_cur, possible, wanted);

  return possible;
}

static gboolean
start (Server *self, GInetSocketAddress **mailbox_address, GError **error)
{
  const KhServerOptions *options = self->options;
  const KhQuotaLimits limits = {
    .total = fit_descriptor_limit (options->max_connections, options->dial_back),
    .per_address = options->per_address,
    .per_minute = options->per_minute,
    .spare_loopback = options->spare_loopback,
  };

  self->stun = kh_stun_server_new (&limits, self->log);
  if (options->dial_back)
    kh_stun_server_set_dial_back (self->stun, kh_dial_back_new (NULL, self->log));
  self->mailbox = kh_mailbox_server_new (&limits, options->allow_list, self->log);
  if (!kh_stun_server_listen (self->stun, options->address, options->alternate, options->stun_port,
                              options->alternate_stun_port, error))
    return FALSE;

  *mailbox_address = kh_mailbox_server_listen (self->mailbox, options->address, options->mailbox_port, error);
  return *mailbox_address != NULL;
}

static void
announce (Server *self, GInetSocketAddress *mailbox_address)
{
  g_autoptr (GPtrArray) stun_addresses = kh_stun_server_get_addresses (self->stun);
  g_autofree char *mailbox = kh_address_to_text (G_SOCKET_ADDRESS (mailbox_address));
  g_autofree char *url = g_strdup_printf ("ws://%s/v1", mailbox);
  JsonArray *stun = json_array_new ();

  for (guint i = 0; i < stun_addresses->len; i++)
    {
      g_autofree char *text = kh_address_to_text (g_ptr_array_index (stun_addresses, i));

      json_array_add_string_element (stun, text);
    }
  kh_server_log_write (self->log, "server.listening", "stun:a mailbox:s", stun, url);
}

/* Once a minute, if anything has changed. */
static gboolean
on_counts (gpointer user_data)
{
  Server *self = user_data;
  KhStunServerStatus stun = { 0 };
  KhMailboxServerStatus mailbox = { 0 };

  kh_stun_server_get_status (self->stun, &stun);
  kh_mailbox_server_get_status (self->mailbox, &mailbox);
  if (memcmp (&stun, &self->last_stun, sizeof stun) == 0 && memcmp (&mailbox, &self->last_mailbox, sizeof mailbox) == 0)
    return G_SOURCE_CONTINUE;

  self->last_stun = stun;
  self->last_mailbox = mailbox;
  kh_server_log_write (
      self->log, "server.counts",
      "stun_clients:i stun_requests:l stun_refused:l dials:l dial_requests:l dial_refused:l mailbox_clients:i mailbox_refused:l mailboxes:i nameplates:i "
      "stored_bytes:l missed_events:l",
      (int) stun.clients, (gint64) stun.requests, (gint64) stun.refused, (gint64) stun.dial_back.dials,
      (gint64) stun.dial_back.requests, (gint64) stun.dial_back.refused, (int) mailbox.clients,
      (gint64) mailbox.refused, (int) mailbox.mailboxes, (int) mailbox.nameplates, (gint64) mailbox.stored_bytes,
      (gint64) kh_server_log_get_missed (self->log));
  return G_SOURCE_CONTINUE;
}

static gboolean
on_signal (gpointer user_data)
{
  g_main_loop_quit (((Server *) user_data)->loop);
  return G_SOURCE_CONTINUE;
}

/* Signals are taken from before the first line of output on: a script may stop us as soon as it has read
 * that. */
static void
run (Server *self, GInetSocketAddress *mailbox_address)
{
  guint counts_id = g_timeout_add_seconds (COUNTS_SECONDS, on_counts, self);
  guint term_id = g_unix_signal_add (SIGTERM, on_signal, self);
  guint int_id = g_unix_signal_add (SIGINT, on_signal, self);

  self->loop = g_main_loop_new (NULL, FALSE);
  announce (self, mailbox_address);
  g_main_loop_run (self->loop);

  kh_stun_server_stop (self->stun);
  kh_mailbox_server_stop (self->mailbox);
  kh_server_log_write (self->log, "server.stopped", "");
  g_source_remove (int_id);
  g_source_remove (term_id);
  g_source_remove (counts_id);
  g_clear_pointer (&self->loop, g_main_loop_unref);
}

static int
serve (const KhServerOptions *options)
{
  g_autoptr (KhServerLog) log = kh_server_log_new (STDOUT_FILENO, options->json, options->log_addresses);
  g_autoptr (GInetSocketAddress) mailbox_address = NULL;
  g_autoptr (GError) error = NULL;
  Server self = { .options = options, .log = log };
  gboolean started = start (&self, &mailbox_address, &error);

  if (started)
    run (&self, mailbox_address);
  else
    complain (error->message);

  g_clear_object (&self.stun);
  g_clear_object (&self.mailbox);
  return started ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main (int argc, char **argv)
{
  g_autoptr (KhServerOptions) options = NULL;
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  signal (SIGPIPE, SIG_IGN);
  options = kh_server_options_new (argv, &error);
  if (options == NULL)
    {
      complain (error->message);
      fputs ("Try \"knothole-server --help\".\n", stderr);
      return EXIT_USAGE;
    }
  if (options->version)
    {
      puts ("knothole-server " KH_VERSION);
      return EXIT_SUCCESS;
    }
  if (sodium_init () < 0)
    {
      complain ("There is no source of random numbers.");
      return EXIT_FAILURE;
    }

  return serve (options);
}
