/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-json.h"
#include "kh-server-process.h"

#include <signal.h>
#include <string.h>

static void
test_signals (void)
{
  static const int signals[] = { SIGTERM, SIGINT };

  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
      g_autoptr (GSocket) mailbox = kh_test_socket (server->mailbox_port);
      g_autoptr (GSocket) stun = kh_test_socket_to (g_ptr_array_index (server->stun, 0));
      g_autoptr (JsonObject) stopped = NULL;

      g_assert_cmpint (kh_server_process_stop (server, signals[i]), ==, 0);
      stopped = kh_server_process_event (server, "server.stopped");
      kh_test_socket_end (mailbox);
      kh_test_socket_end (stun);
    }
}

static void
assert_fails (const char *const *options, int status, const char *part)
{
  const char *const environment[] = { "LC_ALL", "C", NULL };
  g_autofree char *output = NULL;
  g_autofree char *errors = NULL;
  int found = kh_server_process_run (options, environment, &output, &errors);

  if (found != status || strstr (errors, part) == NULL)
    g_error ("%s …: status %d, %s", options[0], found, errors);
  g_assert_cmpstr (output, ==, "");
}

#define FAILS(status, part, ...) assert_fails ((const char *const[]){ __VA_ARGS__, NULL }, status, part)

static void
test_usage (void)
{
  FAILS (2, "--help", "--nonsense");
  FAILS (2, "no option", "argument");
  FAILS (2, "no option", "你好");
  FAILS (2, "--help", "--address=你好");
  FAILS (2, "--help", "--address=\xff\xfe");
  FAILS (2, "--help", "--\xff");
  FAILS (2, "--address takes an address", "--address=localhost");
  FAILS (2, "--alternate-address takes an address", "--alternate-address=");
  FAILS (2, "--alternate-address needs", "--alternate-address=127.0.0.1");
  FAILS (2, "--alternate-address needs", "--alternate-address=::1");
  FAILS (2, "--alternate-address needs", "--address=0.0.0.0", "--alternate-address=127.0.0.1");
  FAILS (2, "--stun-port takes a number", "--stun-port=65536");
  FAILS (2, "--mailbox-port takes a number", "--mailbox-port=-1");
  FAILS (2, "--help", "--mailbox-port=http");
  FAILS (2, "--max-connections takes a number", "--max-connections=0");
  FAILS (2, "--max-connections-per-address takes a number", "--max-connections-per-address=-2");
  FAILS (2, "twice", "--stun-port=4000");
}

static void
test_port_in_use (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
  GInetSocketAddress *stun = g_ptr_array_index (server->stun, 1);
  g_autofree char *mailbox_port = g_strdup_printf ("--mailbox-port=%u", server->mailbox_port);
  g_autofree char *stun_port = g_strdup_printf ("--alternate-stun-port=%u", g_inet_socket_address_get_port (stun));
  g_autofree char *sentence = g_strdup_printf ("Port %u of 127.0.0.1 is in use", server->mailbox_port);

  FAILS (1, sentence, "--stun-port=0", "--alternate-stun-port=0", mailbox_port);
  FAILS (1, "is in use by another program. Stop that program, or choose another port.", "--stun-port=0", stun_port,
         "--mailbox-port=0");
}

static void
test_foreign_address (void)
{
  FAILS (1, "192.0.2.1 is not an address of this computer.", "--address=192.0.2.1");
  FAILS (1, "192.0.2.1 is not an address of this computer.", "--stun-port=0", "--alternate-stun-port=0",
         "--mailbox-port=0", "--alternate-address=192.0.2.1");
}

static void
test_version_and_help (void)
{
  g_autofree char *version = NULL;
  g_autofree char *help = NULL;
  g_autofree char *errors = NULL;
  g_autofree char *help_errors = NULL;

  g_assert_cmpint (kh_server_process_run ((const char *const[]){ "--version", NULL }, NULL, &version, &errors), ==, 0);
  g_assert_true (g_str_has_prefix (version, "knothole-server "));
  g_assert_cmpint (kh_server_process_run ((const char *const[]){ "--help", NULL }, NULL, &help, &help_errors), ==, 0);
  g_assert_nonnull (strstr (help, "--alternate-address=IP"));
  g_assert_cmpstr (errors, ==, "");
  g_assert_cmpstr (help_errors, ==, "");
}

/* Addresses of clients are in the output only if that was asked for. */
static void
test_log_addresses (void)
{
  for (int asked = 0; asked <= 1; asked++)
    {
      g_autoptr (KhServerProcess) server = kh_server_process_new (asked ? "--log-addresses" : NULL, NULL);
      g_autoptr (GSocket) socket = kh_test_socket_to (g_ptr_array_index (server->stun, 0));
      g_autoptr (JsonObject) connected = kh_server_process_event (server, "client.connected");
      g_autoptr (JsonObject) gone = NULL;
      gint64 clients;

      g_socket_close (socket, NULL);
      gone = kh_server_process_event (server, "client.gone");
      g_assert_cmpstr (kh_json_get_string (connected, "service"), ==, "stun");
      g_assert_true (kh_json_get_int (connected, "clients", 1, 1, &clients));
      g_assert_true (kh_json_get_int (gone, "clients", 0, 0, &clients));
      g_assert_cmpint (json_object_has_member (connected, "address"), ==, asked);
      g_assert_cmpint (json_object_has_member (gone, "address"), ==, asked);
    }
}

/* A script that reads the first line and then no more does not bring the server to a halt. */
static void
test_nobody_reads (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new ("--log-addresses", NULL);
  g_autoptr (GSocket) last = NULL;

  for (int i = 0; i < 1500; i++)
    {
      g_autoptr (GSocket) socket = kh_test_socket_to (g_ptr_array_index (server->stun, 0));

      kh_test_socket_send (socket, "x", 1);
      g_socket_close (socket, NULL);
    }
  last = kh_test_socket_to (g_ptr_array_index (server->stun, 0));
  kh_test_socket_send (last, "garbage", 7);
  kh_test_socket_end (last);
}

static void
test_text_output (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new ("--alternate-address=127.0.0.2", NULL);
  g_autofree char *program = g_build_filename (g_getenv ("KH_BUILDDIR"), "src", "server", "knothole-server", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, program, "--stun-port=0",
                                                      "--alternate-stun-port=0", "--mailbox-port=0", NULL);
  g_autoptr (GDataInputStream) output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (process));
  g_autofree char *line = g_data_input_stream_read_line (output, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (
      g_regex_match_simple ("^ +0\\.[0-9]{3}  server\\.listening stun=127\\.0\\.0\\.1:[0-9]+,127\\.0\\.0\\.1:"
                            "[0-9]+ mailbox=ws://127\\.0\\.0\\.1:[0-9]+/v1$",
                            line, 0, 0));
  g_subprocess_send_signal (process, SIGTERM);
  g_assert_true (g_subprocess_wait_check (process, NULL, &error));
}

static void
test_ipv6 (void)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV6);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocket) probe = g_socket_new (G_SOCKET_FAMILY_IPV6, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (KhServerProcess) server = NULL;

  if (probe == NULL || !g_socket_bind (probe, address, FALSE, NULL))
    {
      g_test_skip ("no IPv6 on loopback");
      return;
    }
  server = kh_server_process_new ("--address=::1", NULL);
  g_assert_true (g_str_has_prefix (server->url, "ws://[::1]:"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/server/signals", test_signals);
  g_test_add_func ("/server/usage", test_usage);
  g_test_add_func ("/server/port-in-use", test_port_in_use);
  g_test_add_func ("/server/foreign-address", test_foreign_address);
  g_test_add_func ("/server/version-and-help", test_version_and_help);
  g_test_add_func ("/server/log-addresses", test_log_addresses);
  g_test_add_func ("/server/nobody-reads", test_nobody_reads);
  g_test_add_func ("/server/text-output", test_text_output);
  g_test_add_func ("/server/ipv6", test_ipv6);
  return g_test_run ();
}
