/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-lab.h"

#include "kh-capture.h"
#include "kh-host.h"
#include "kh-namespace.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Batches taken from one host before the others have their turn. */
#define MAX_BATCHES 4

struct _KhLab
{
  GObject parent_instance;
  KhNetwork *network;
  KhHost *hosts[KH_N_HOSTS];
  guint sources[KH_N_HOSTS];
  int timer;
  guint timer_source;
  gint64 armed;
  KhCapture *capture;
  gint64 clock_offset;
};

/**
 * KhLab:
 *
 * A small internet that runs: every packet of its hosts is carried by this process, from its main context.
 */
G_DEFINE_FINAL_TYPE (KhLab, kh_lab, G_TYPE_OBJECT)

static void
kh_lab_dispose (GObject *object)
{
  KhLab *self = KH_LAB (object);

  for (guint i = 0; i < KH_N_HOSTS; i++)
    {
      g_clear_handle_id (&self->sources[i], g_source_remove);
      g_clear_pointer (&self->hosts[i], kh_host_free);
    }
  g_clear_handle_id (&self->timer_source, g_source_remove);
  if (self->timer >= 0)
    close (self->timer);
  self->timer = -1;
  g_clear_pointer (&self->network, kh_network_free);
  g_clear_pointer (&self->capture, kh_capture_free);

  G_OBJECT_CLASS (kh_lab_parent_class)->dispose (object);
}

static void
kh_lab_class_init (KhLabClass *class)
{
  G_OBJECT_CLASS (class)->dispose = kh_lab_dispose;
}

static void
kh_lab_init (KhLab *self)
{
  self->timer = -1;
}

static void
on_deliver (gpointer data, KhHostId host, const guint8 *packet, gsize length)
{
  KhLab *self = data;

  kh_host_send (self->hosts[host], packet, length);
}

/* To be woken when the next packet is due: the main loop's own timers only know whole milliseconds. */
static void
arm (KhLab *self)
{
  gint64 next = kh_network_get_next (self->network);
  struct itimerspec when = { 0 };

  if (next == self->armed)
    return;
  self->armed = next;
  if (next != G_MAXINT64)
    {
      when.it_value.tv_sec = next / G_USEC_PER_SEC;
      when.it_value.tv_nsec = next % G_USEC_PER_SEC * 1000;
    }
  timerfd_settime (self->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void
settle (KhLab *self)
{
  kh_network_advance (self->network, g_get_monotonic_time ());
  for (guint i = 0; i < KH_N_HOSTS; i++)
    if (self->hosts[i] != NULL)
      kh_host_flush (self->hosts[i]);
  arm (self);
}

static gboolean
on_timer (int fd, GIOCondition condition, gpointer data)
{
  KhLab *self = data;
  guint64 times;

  if (read (fd, &times, sizeof times) == sizeof times)
    self->armed = G_MAXINT64;
  settle (self);

  return G_SOURCE_CONTINUE;
}

typedef struct
{
  KhLab *lab;
  KhHostId host;
} Sender;

static void
on_packet (gpointer data, guint8 *packet, gsize length, gint64 sent)
{
  Sender *sender = data;

  kh_network_send (sender->lab->network, sender->host, packet, length, sent);
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer data)
{
  Sender *sender = data;
  KhHost *host = sender->lab->hosts[sender->host];

  for (int i = 0; i < MAX_BATCHES && kh_host_receive (host, on_packet, sender); i++)
    ;
  settle (sender->lab);

  return G_SOURCE_CONTINUE;
}

static gboolean
add_host (KhLab *self, KhHostId id, GError **error)
{
  Sender *sender;

  self->hosts[id] = kh_host_new (id, kh_network_get_addresses (self->network, id), error);
  if (self->hosts[id] == NULL)
    return FALSE;
  sender = g_new0 (Sender, 1);
  sender->lab = self;
  sender->host = id;
  self->sources[id] =
      g_unix_fd_add_full (G_PRIORITY_DEFAULT, kh_host_get_fd (self->hosts[id]), G_IO_IN, on_readable, sender, g_free);

  return TRUE;
}

static gboolean
add_timer (KhLab *self, GError **error)
{
  self->timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (self->timer < 0)
    {
      g_set_error (error, KH_NAMESPACE_ERROR, KH_NAMESPACE_ERROR_FAILED, "timer: %s", g_strerror (errno));
      return FALSE;
    }
  self->armed = G_MAXINT64;
  self->timer_source = g_unix_fd_add (self->timer, G_IO_IN, on_timer, self);
  /* A kernel may let timers wait a little to save power; a packet may not. Nor is it to wait for the programs that send it,
   * where we may say so. */
  prctl (PR_SET_TIMERSLACK, 1);
  if (getpriority (PRIO_PROCESS, 0) == 0)
    setpriority (PRIO_PROCESS, 0, KH_COMMAND_LAB_PRIORITY);

  return TRUE;
}

/**
 * kh_lab_new:
 * @settings: what to build
 * @error: return location
 *
 * Builds a laboratory in this process' network, which has to be an empty one of its own (kh_keeper_run()).
 *
 * Returns: (transfer full) (nullable): a laboratory that works as long as the main context does
 */
KhLab *
kh_lab_new (const KhNetworkSettings *settings, GError **error)
{
  g_autoptr (KhLab) self = g_object_new (KH_TYPE_LAB, NULL);

  /* Where there is no IPv6, there is nothing to be switched off. */
  kh_namespace_set (-1, "net/ipv6/conf/all/disable_ipv6", "1", NULL);
  kh_namespace_set (-1, "net/ipv6/conf/default/disable_ipv6", "1", NULL);

  self->network = kh_network_new (settings, on_deliver, self);
  if (!add_timer (self, error))
    return NULL;
  for (guint i = 0; i < KH_N_HOSTS; i++)
    if (!add_host (self, i, error))
      return NULL;

  return g_steal_pointer (&self);
}

static void
on_record (gpointer data, guint wire, gboolean up, const guint8 *packet, gsize length, gint64 now, const char *comment)
{
  KhLab *self = data;

  kh_capture_write (self->capture, wire, up, packet, length, now + self->clock_offset, comment);
}

/**
 * kh_lab_start_capture:
 * @self: a laboratory
 * @path: a file to make
 * @error: return location
 *
 * Writes down every packet on every wire, with what the router at its end made of it.
 *
 * Returns: whether the file could be made
 */
gboolean
kh_lab_start_capture (KhLab *self, const char *path, GError **error)
{
  self->capture = kh_capture_new (path, error);
  if (self->capture == NULL)
    return FALSE;
  for (guint i = 0; i < kh_network_get_n_wires (self->network); i++)
    kh_capture_add_interface (self->capture, kh_network_get_wire_name (self->network, i));
  self->clock_offset = g_get_real_time () - g_get_monotonic_time ();
  kh_network_set_record (self->network, on_record, self);

  return TRUE;
}

/**
 * kh_lab_stop_capture:
 * @self: a laboratory
 * @error: return location
 *
 * Returns: whether all was written; also when there was no capture
 */
gboolean
kh_lab_stop_capture (KhLab *self, GError **error)
{
  g_autoptr (KhCapture) capture = g_steal_pointer (&self->capture);

  kh_network_set_record (self->network, NULL, NULL);

  return capture == NULL || kh_capture_close (capture, error);
}

const KhHostAddresses *
kh_lab_get_addresses (KhLab *self, KhHostId host)
{
  return kh_network_get_addresses (self->network, host);
}

/**
 * kh_lab_get_network:
 *
 * Returns: a descriptor of a host's network namespace, not to be closed
 */
int
kh_lab_get_network (KhLab *self, KhHostId host)
{
  return kh_host_get_network (self->hosts[host]);
}

/**
 * kh_lab_fill_in:
 * @self: a laboratory
 * @text: a text with `{left}`, `{right}`, `{server}`, `{server2}`, `{server6}`
 *
 * Returns: (transfer full): the text with addresses in their places: those by which one reaches a host from elsewhere
 */
char *
kh_lab_fill_in (KhLab *self, const char *text)
{
  const struct
  {
    const char *name;
    const KhIp *ip;
  } places[] = {
    { "{left}", &kh_lab_get_addresses (self, KH_HOST_LEFT)->outside },
    { "{right}", &kh_lab_get_addresses (self, KH_HOST_RIGHT)->outside },
    { "{server}", &kh_lab_get_addresses (self, KH_HOST_SERVER)->own },
    { "{server2}", &kh_lab_get_addresses (self, KH_HOST_SERVER)->second },
    { "{server6}", &kh_lab_get_addresses (self, KH_HOST_SERVER)->own6 },
  };
  GString *filled = g_string_new (text);

  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    {
      char address[KH_IP_TEXT_SIZE];

      g_string_replace (filled, places[i].name, kh_ip_to_text (places[i].ip, address), 0);
    }

  return g_string_free (filled, FALSE);
}

/**
 * kh_lab_start:
 * @self: a laboratory
 * @host: where
 * @argv: a program and its arguments, with places as for kh_lab_fill_in()
 * @output: whose its standard input and output are
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the program
 */
KhCommand *
kh_lab_start (KhLab *self, KhHostId host, const char *const *argv, KhCommandOutput output, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) filled = NULL;

  for (; *argv != NULL; argv++)
    {
      g_autofree char *word = kh_lab_fill_in (self, *argv);

      g_strv_builder_add (builder, word);
    }
  filled = g_strv_builder_end (builder);

  return kh_command_new (kh_lab_get_network (self, host), (const char *const *) filled, NULL, output, error);
}
