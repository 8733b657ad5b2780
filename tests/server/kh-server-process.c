/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-server-process.h"

#include "kh-address.h"
#include "kh-json.h"

#include <signal.h>
#include <string.h>

#define DEADLINE_SECONDS 10

static char *
find_program (void)
{
  return g_build_filename (g_getenv ("KH_BUILDDIR"), "src", "server", "knothole-server", NULL);
}

static char *
read_line (KhServerProcess *self)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  char *line;

  g_data_input_stream_read_line_async (self->output, G_PRIORITY_DEFAULT, NULL, kh_test_store_result, &result);
  kh_test_wait_until (result != NULL, DEADLINE_SECONDS * 1000);
  line = g_data_input_stream_read_line_finish (self->output, result, NULL, &error);
  g_assert_no_error (error);

  return line;
}

/* Reads events up to the next of a type; fails when the output ends before. */
JsonObject *
kh_server_process_event (KhServerProcess *self, const char *type)
{
  while (TRUE)
    {
      g_autofree char *line = read_line (self);
      g_autoptr (JsonObject) event = NULL;

      g_assert_nonnull (line);
      event = kh_json_parse_object (line, strlen (line), NULL);
      g_assert_nonnull (event);
      if (g_strcmp0 (kh_json_get_string (event, "type"), type) == 0)
        return g_steal_pointer (&event);
    }
}

static void
take_addresses (KhServerProcess *self)
{
  g_autoptr (JsonObject) event = kh_server_process_event (self, "server.listening");
  JsonArray *stun = kh_json_get_array (event, "stun");
  const char *end;

  self->stun = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < json_array_get_length (stun); i++)
    g_ptr_array_add (self->stun, kh_address_from_text (json_array_get_string_element (stun, i)));

  self->url = g_strdup (kh_json_get_string (event, "mailbox"));
  end = strrchr (self->url, ':');
  self->mailbox_port = g_ascii_strtoull (end + 1, NULL, 10);
}

KhServerProcess *
kh_server_process_new (const char *first_option, ...)
{
  KhServerProcess *self = g_new0 (KhServerProcess, 1);
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  g_autofree char *program = find_program ();
  g_autoptr (GError) error = NULL;
  va_list more;

  g_ptr_array_add (arguments, program);
  g_ptr_array_add (arguments, (char *) "--json");
  g_ptr_array_add (arguments, (char *) "--stun-port=0");
  g_ptr_array_add (arguments, (char *) "--alternate-stun-port=0");
  g_ptr_array_add (arguments, (char *) "--mailbox-port=0");
  va_start (more, first_option);
  for (const char *option = first_option; option != NULL; option = va_arg (more, const char *))
    g_ptr_array_add (arguments, (char *) option);
  va_end (more);
  g_ptr_array_add (arguments, NULL);

  self->process = g_subprocess_newv ((const char *const *) arguments->pdata, G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error);
  g_assert_no_error (error);
  self->output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (self->process));
  take_addresses (self);

  return self;
}

/* Returns the exit status. */
int
kh_server_process_stop (KhServerProcess *self, int signal)
{
  g_autoptr (GAsyncResult) result = NULL;

  g_subprocess_send_signal (self->process, signal);
  g_subprocess_wait_async (self->process, NULL, kh_test_store_result, &result);
  kh_test_wait_until (result != NULL, DEADLINE_SECONDS * 1000);
  g_assert_true (g_subprocess_wait_finish (self->process, result, NULL));
  g_assert_true (g_subprocess_get_if_exited (self->process));

  return g_subprocess_get_exit_status (self->process);
}

void
kh_server_process_free (KhServerProcess *self)
{
  if (g_subprocess_get_identifier (self->process) != NULL)
    g_assert_cmpint (kh_server_process_stop (self, SIGTERM), ==, 0);
  g_object_unref (self->output);
  g_object_unref (self->process);
  g_ptr_array_unref (self->stun);
  g_free (self->url);
  g_free (self);
}

static char *
to_text (GBytes *bytes)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);

  return length > 0 ? g_strndup (data, length) : g_strdup ("");
}

/* Runs the program with options that end it by themselves. Returns its exit status. */
int
kh_server_process_run (const char *const *options, const char *const *environment, char **output, char **errors)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  g_autofree char *program = find_program ();
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GBytes) err = NULL;
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; environment != NULL && environment[i] != NULL; i += 2)
    g_subprocess_launcher_setenv (launcher, environment[i], environment[i + 1], TRUE);
  g_ptr_array_add (arguments, program);
  for (gsize i = 0; options[i] != NULL; i++)
    g_ptr_array_add (arguments, (char *) options[i]);
  g_ptr_array_add (arguments, NULL);

  process = g_subprocess_launcher_spawnv (launcher, (const char *const *) arguments->pdata, &error);
  g_assert_no_error (error);
  g_subprocess_communicate_async (process, NULL, NULL, kh_test_store_result, &result);
  kh_test_wait_until (result != NULL, DEADLINE_SECONDS * 1000);
  g_subprocess_communicate_finish (process, result, &out, &err, &error);
  g_assert_no_error (error);

  *output = to_text (out);
  *errors = to_text (err);
  return g_subprocess_get_exit_status (process);
}

GSocket *
kh_test_socket_to (GInetSocketAddress *address)
{
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);

  g_assert_no_error (error);
  g_socket_set_timeout (socket, DEADLINE_SECONDS);
  g_socket_connect (socket, G_SOCKET_ADDRESS (address), NULL, &error);
  g_assert_no_error (error);

  return socket;
}

GSocket *
kh_test_socket (guint16 port)
{
  g_autoptr (GInetSocketAddress) address = kh_address_new ("127.0.0.1", port);

  return kh_test_socket_to (address);
}

void
kh_test_socket_send (GSocket *socket, const void *bytes, gsize length)
{
  for (gsize sent = 0; sent < length;)
    {
      g_autoptr (GError) error = NULL;
      gssize now = g_socket_send (socket, (const char *) bytes + sent, length - sent, NULL, &error);

      g_assert_no_error (error);
      sent += now;
    }
}

void
kh_test_socket_receive (GSocket *socket, void *bytes, gsize length)
{
  for (gsize got = 0; got < length;)
    {
      g_autoptr (GError) error = NULL;
      gssize now = g_socket_receive (socket, (char *) bytes + got, length - got, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpint (now, >, 0);
      got += now;
    }
}

/* Reads to the end of the connection, be it a RST. */
char *
kh_test_socket_text (GSocket *socket)
{
  GString *text = g_string_new (NULL);
  char buffer[4096];

  while (TRUE)
    {
      g_autoptr (GError) error = NULL;
      gssize length = g_socket_receive (socket, buffer, sizeof buffer, NULL, &error);

      if (length <= 0)
        {
          g_assert_false (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT));
          return g_string_free (text, FALSE);
        }
      g_string_append_len (text, buffer, length);
    }
}

void
kh_test_socket_end (GSocket *socket)
{
  g_autofree char *rest = kh_test_socket_text (socket);

  g_assert_cmpstr (rest, ==, "");
}
