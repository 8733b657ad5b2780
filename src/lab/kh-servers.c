/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-servers.h"

#include "kh-namespace.h"
#include "kh-programs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Servers do not tell when they listen in a way that is common to all: so they are asked, this often. */
#define ASK_MS 5
#define PATIENCE_US (20 * G_TIME_SPAN_SECOND)

typedef struct
{
  const char *command; /* words, with places to be filled in */
  guint16 port;        /* where it listens when it is ready */
  gboolean ipv6;       /* it listens there by IPv6, and is of use only where a host has that */
} Program;

static const Program knothole[] = {
  { "knothole-server --address={server} --alternate-address={server2} --max-connections-per-address=0 "
    "--max-new-connections=0",
    KH_SERVER_MAILBOX_PORT },
  { "knothole-server --address={server6} --max-connections-per-address=0 --max-new-connections=0",
    KH_SERVER_MAILBOX_PORT, TRUE },
  { NULL },
};

/* Files that coturn wants to write are kept away from the machine. */
static const Program genuine[] = {
  { "/usr/bin/python3 -m twisted wormhole-mailbox --port=tcp:4000:interface={server} --channel-db=:memory:",
    KH_SERVER_MAILBOX_PORT },
  { "turnserver -n --no-auth --stun-only --no-tls --no-dtls --no-udp --no-cli --listening-ip={server} "
    "--listening-ip={server2} --relay-ip={server} --listening-port=3478 --alt-listening-port=3479 --log-file=/dev/null "
    "--pidfile=/dev/null --db=/dev/null",
    KH_SERVER_STUN_PORT },
  { NULL },
};

static const Program none[] = { { NULL } };

static const struct
{
  const char *name;
  const Program *programs;
} kinds[] = {
  [KH_SERVER_NONE] = { "none", none },
  [KH_SERVER_KNOTHOLE] = { "knothole", knothole },
  [KH_SERVER_GENUINE] = { "genuine", genuine },
};

/**
 * kh_server_kind_parse:
 * @text: `knothole`, `genuine` or `none`
 * @kind: (out): the kind
 *
 * Returns: whether it was one of them
 */
gboolean
kh_server_kind_parse (const char *text, KhServerKind *kind)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i].name, text))
      {
        *kind = i;
        return TRUE;
      }

  return FALSE;
}

typedef struct
{
  KhLab *lab;
  GPtrArray *programs; /* of Program: those that were launched */
  GPtrArray *servers;
  guint ready;
  int probe;
  gint64 deadline;
} Start;

static void
close_probe (Start *start)
{
  if (start->probe >= 0)
    close (start->probe);
  start->probe = -1;
}

static void
start_free (gpointer data)
{
  Start *start = data;

  close_probe (start);
  g_clear_pointer (&start->servers, g_ptr_array_unref);
  g_ptr_array_unref (start->programs);
  g_object_unref (start->lab);
  g_free (start);
}

static gboolean
launch (Start *start, const Program *program, const char *bindir, GError **error)
{
  g_auto (GStrv) argv = g_strsplit (program->command, " ", -1);
  KhCommand *command;

  if (g_str_has_prefix (argv[0], "knothole"))
    {
      char *path = kh_programs_find (bindir, argv[0], error);

      if (path == NULL)
        return FALSE;
      g_free (argv[0]);
      argv[0] = path;
    }
  command = kh_lab_start (start->lab, KH_HOST_SERVER, (const char *const *) argv, KH_COMMAND_QUIET, error);
  if (command == NULL)
    return FALSE;
  g_ptr_array_add (start->servers, command);
  g_ptr_array_add (start->programs, (gpointer) program);

  return TRUE;
}

static gboolean
begin_probe (Start *start, const Program *program)
{
  const KhHostAddresses *addresses = kh_lab_get_addresses (start->lab, KH_HOST_SERVER);
  struct sockaddr_in6 place = { .sin6_family = AF_INET6, .sin6_port = htons (program->port) };

  /* Addresses of IPv4 are mapped ones, which a socket for both families takes as they are. */
  memcpy (&place.sin6_addr, (program->ipv6 ? &addresses->own6 : &addresses->own)->bytes, sizeof place.sin6_addr);
  start->probe = kh_namespace_socket (kh_lab_get_network (start->lab, KH_HOST_SERVER), AF_INET6, SOCK_STREAM, 0, NULL);

  return start->probe >= 0 &&
         (connect (start->probe, (struct sockaddr *) &place, sizeof place) == 0 || errno == EINPROGRESS);
}

/* Whether a server listens. On the server's own machine that is known at once, unless the machine is busy: then the answer is
 * waited for until the next time. */
static gboolean
is_listening (Start *start, const Program *program)
{
  GPollFD poll = { .events = G_IO_OUT };
  int reason = 0;
  socklen_t length = sizeof reason;

  if (start->probe < 0 && !begin_probe (start, program))
    {
      close_probe (start);
      return FALSE;
    }
  poll.fd = start->probe;
  if (g_poll (&poll, 1, 0) <= 0)
    return FALSE;
  if (getsockopt (start->probe, SOL_SOCKET, SO_ERROR, &reason, &length) != 0)
    reason = errno;
  close_probe (start);

  return reason == 0;
}

static gboolean
on_ask (gpointer data)
{
  GTask *task = data;
  Start *start = g_task_get_task_data (task);

  if (g_task_return_error_if_cancelled (task))
    return G_SOURCE_REMOVE;
  for (; start->ready < start->servers->len; start->ready++)
    {
      const Program *program = g_ptr_array_index (start->programs, start->ready);
      KhCommand *server = g_ptr_array_index (start->servers, start->ready);

      if (is_listening (start, program))
        continue;
      if (kh_command_is_running (server) && g_get_monotonic_time () < start->deadline)
        return G_SOURCE_CONTINUE;
      g_task_return_new_error (task, KH_NAMESPACE_ERROR, KH_NAMESPACE_ERROR_FAILED, "The server does not start: %s",
                               program->command);
      return G_SOURCE_REMOVE;
    }
  g_task_return_pointer (task, g_steal_pointer (&start->servers), (GDestroyNotify) g_ptr_array_unref);

  return G_SOURCE_REMOVE;
}

static gboolean
has_ipv6 (KhLab *lab)
{
  static const KhIp nothing;

  return !kh_ip_equal (&kh_lab_get_addresses (lab, KH_HOST_LEFT)->own6, &nothing) ||
         !kh_ip_equal (&kh_lab_get_addresses (lab, KH_HOST_RIGHT)->own6, &nothing);
}

/**
 * kh_servers_start_async:
 * @lab: a laboratory
 * @kind: which servers
 * @bindir: (nullable): where Knothole's are
 * @cancellable: (nullable): cancels
 * @callback: called when they all listen
 * @data: for @callback
 *
 * Starts the servers on the laboratory's server.
 */
void
kh_servers_start_async (KhLab *lab, KhServerKind kind, const char *bindir, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (lab, cancellable, callback, data);
  Start *start = g_new0 (Start, 1);
  g_autoptr (GSource) source = g_timeout_source_new (ASK_MS);
  GError *error = NULL;

  start->lab = g_object_ref (lab);
  start->programs = g_ptr_array_new ();
  start->servers = g_ptr_array_new_with_free_func (g_object_unref);
  start->probe = -1;
  start->deadline = g_get_monotonic_time () + PATIENCE_US;
  g_task_set_source_tag (task, kh_servers_start_async);
  g_task_set_task_data (task, start, start_free);

  for (const Program *program = kinds[kind].programs; program->command != NULL; program++)
    if ((!program->ipv6 || has_ipv6 (lab)) && !launch (start, program, bindir, &error))
      {
        g_task_return_error (task, error);
        return;
      }
  g_task_attach_source (task, source, on_ask);
}

/**
 * kh_servers_start_finish:
 * @result: a result
 * @servers: (out) (transfer full) (element-type KhCommand): the running programs
 * @error: return location
 *
 * Returns: whether they listen
 */
gboolean
kh_servers_start_finish (GAsyncResult *result, GPtrArray **servers, GError **error)
{
  *servers = g_task_propagate_pointer (G_TASK (result), error);

  return *servers != NULL;
}
