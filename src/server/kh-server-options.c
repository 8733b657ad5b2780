/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-server-options.h"

#define DEFAULT_PER_ADDRESS 50
#define DEFAULT_PER_MINUTE 240
#define MAX_CONNECTIONS 100000
#define UNSET (-1)

/* What GOption fills in, before it is checked. */
typedef struct
{
  char *address;
  char *alternate;
  int stun_port;
  int alternate_stun_port;
  int mailbox_port;
  int max_connections;
  int per_address;
  int per_minute;
  gboolean no_dial_back;
  gboolean allow_list;
  gboolean log_addresses;
  gboolean json;
  gboolean version;
} Raw;

static void
raw_clear (Raw *raw)
{
  g_free (raw->address);
  g_free (raw->alternate);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Raw, raw_clear)

static gboolean
parse_raw (Raw *raw, char **arguments, GError **error)
{
  const GOptionEntry entries[] = {
    { "address", 0, 0, G_OPTION_ARG_STRING, &raw->address, "Where to listen (127.0.0.1)", "IP" },
    { "alternate-address", 0, 0, G_OPTION_ARG_STRING, &raw->alternate, "A second address for STUN", "IP" },
    { "stun-port", 0, 0, G_OPTION_ARG_INT, &raw->stun_port, "STUN over TCP (3478; 0: any free one)", "PORT" },
    { "alternate-stun-port", 0, 0, G_OPTION_ARG_INT, &raw->alternate_stun_port, "STUN's second port (3479)", "PORT" },
    { "mailbox-port", 0, 0, G_OPTION_ARG_INT, &raw->mailbox_port, "Mailbox, a WebSocket at /v1 (4000)", "PORT" },
    { "max-connections", 0, 0, G_OPTION_ARG_INT, &raw->max_connections, "At once, for each service (1000)", "N" },
    { "max-connections-per-address", 0, 0, G_OPTION_ARG_INT, &raw->per_address,
      "The same, from one address (50; 0: no limit)", "N" },
    { "max-new-connections", 0, 0, G_OPTION_ARG_INT, &raw->per_minute,
      "In a minute, from one address (240; 0: no limit)", "N" },
    { "no-dial-back", 0, 0, G_OPTION_ARG_NONE, &raw->no_dial_back, "Never connect back to STUN's clients", NULL },
    { "allow-list", 0, 0, G_OPTION_ARG_NONE, &raw->allow_list, "Let clients list the nameplates in use", NULL },
    { "log-addresses", 0, 0, G_OPTION_ARG_NONE, &raw->log_addresses, "Print clients' addresses", NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &raw->json, "Print events as JSON lines", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &raw->version, "Print the version and exit", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_auto (GStrv) left = g_strdupv (arguments);

  g_option_context_set_summary (context, "Runs what Knothole needs to connect two friends: STUN and the mailbox.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse_strv (context, &left, error))
    return FALSE;

  if (g_strv_length (left) > 1)
    {
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "There is an argument that is no option.");
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_number (const char *option, int value, int low, int high, GError **error)
{
  if (value >= low && value <= high)
    return TRUE;

  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--%s takes a number from %d to %d.", option, low,
               high);
  return FALSE;
}

static gboolean
check_numbers (const Raw *raw, GError **error)
{
  return check_number ("stun-port", raw->stun_port, 0, G_MAXUINT16, error) &&
         check_number ("alternate-stun-port", raw->alternate_stun_port, 0, G_MAXUINT16, error) &&
         check_number ("mailbox-port", raw->mailbox_port, 0, G_MAXUINT16, error) &&
         check_number ("max-connections", raw->max_connections, 1, MAX_CONNECTIONS, error) &&
         check_number ("max-connections-per-address", raw->per_address, UNSET, MAX_CONNECTIONS, error) &&
         check_number ("max-new-connections", raw->per_minute, UNSET, MAX_CONNECTIONS, error);
}

static GInetAddress *
parse_address (const char *option, const char *text, GError **error)
{
  GInetAddress *address = g_inet_address_new_from_string (text);

  if (address == NULL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 "--%s takes an address in numbers, such as 192.0.2.1.", option);
  return address;
}

/* OTHER-ADDRESS names one address to clients of the other, so both have to be one, and of one family. */
static gboolean
check_pair (GInetAddress *address, GInetAddress *alternate, GError **error)
{
  if (!g_inet_address_get_is_any (address) && !g_inet_address_get_is_any (alternate) &&
      g_inet_address_get_family (address) == g_inet_address_get_family (alternate) &&
      !g_inet_address_equal (address, alternate))
    return TRUE;

  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                       "--alternate-address needs --address to be another address of the same kind, both exact.");
  return FALSE;
}

static gboolean
check_addresses (KhServerOptions *self, const Raw *raw, GError **error)
{
  self->address = parse_address ("address", raw->address != NULL ? raw->address : "127.0.0.1", error);
  if (self->address == NULL)
    return FALSE;
  if (raw->alternate == NULL)
    return TRUE;

  self->alternate = parse_address ("alternate-address", raw->alternate, error);
  return self->alternate != NULL && check_pair (self->address, self->alternate, error);
}

static gboolean
check_ports (const KhServerOptions *self, GError **error)
{
  const guint16 ports[] = { self->stun_port, self->alternate_stun_port, self->mailbox_port };

  for (gsize i = 0; i < G_N_ELEMENTS (ports); i++)
    for (gsize j = 0; j < i; j++)
      if (ports[i] != 0 && ports[i] == ports[j])
        {
          g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "Port %u is asked for twice.", ports[i]);
          return FALSE;
        }

  return TRUE;
}

/**
 * kh_server_options_new:
 * @arguments: the program's arguments, its name first
 * @error: return location
 *
 * Reads the command line. `--help` is answered, and ends the program, in here.
 *
 * Returns: (transfer full): the options, or %NULL with an error of %G_OPTION_ERROR that says what is wrong
 */
KhServerOptions *
kh_server_options_new (char **arguments, GError **error)
{
  g_autoptr (KhServerOptions) self = g_new0 (KhServerOptions, 1);
  g_auto (Raw) raw = {
    .stun_port = 3478,
    .alternate_stun_port = 3479,
    .mailbox_port = 4000,
    .max_connections = 1000,
    .per_address = UNSET,
    .per_minute = UNSET,
  };

  if (!parse_raw (&raw, arguments, error) || !check_numbers (&raw, error))
    return NULL;

  self->stun_port = raw.stun_port;
  self->alternate_stun_port = raw.alternate_stun_port;
  self->mailbox_port = raw.mailbox_port;
  self->max_connections = raw.max_connections;
  self->per_address = raw.per_address != UNSET ? raw.per_address : DEFAULT_PER_ADDRESS;
  self->per_minute = raw.per_minute != UNSET ? raw.per_minute : DEFAULT_PER_MINUTE;
  self->spare_loopback = raw.per_address == UNSET && raw.per_minute == UNSET;
  self->dial_back = !raw.no_dial_back;
  self->allow_list = raw.allow_list;
  self->log_addresses = raw.log_addresses;
  self->json = raw.json;
  self->version = raw.version;

  if (!check_addresses (self, &raw, error) || !check_ports (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
kh_server_options_free (KhServerOptions *self)
{
  g_clear_object (&self->address);
  g_clear_object (&self->alternate);
  g_free (self);
}
