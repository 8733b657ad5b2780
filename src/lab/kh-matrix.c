/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-matrix.h"

#include "kh-command.h"
#include "kh-interrupt.h"
#include "kh-line-reader.h"
#include "kh-matrix-table.h"
#include "kh-meet.h"

#include <json-glib/json-glib.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Where there is no terminal to ask. */
#define WIDTH 120
/* How long laboratories have to end when they are asked to. */
#define PATIENCE_SECONDS 6

/* Many laboratories, several at once, each a process of its own that runs `knothole-lab meet`. */
typedef struct
{
  const KhLabOptions *options;
  char **nats;
  guint n;
  KhMatrixTable *table;
  guint next;
  guint done;
  guint total;
  GPtrArray *running;
  GMainLoop *loop;
  guint deadline;
  gboolean stopping;
  char *fault;
  int status;
} Matrix;

typedef struct
{
  Matrix *matrix;
  guint left;
  guint right;
  KhCommand *command;
  KhLineReader *reader;
  gboolean told;
} Room;

static void
room_free (gpointer data)
{
  Room *room = data;

  g_signal_handlers_disconnect_by_data (room->reader, room);
  g_signal_handlers_disconnect_by_data (room->command, room);
  g_object_unref (room->reader);
  g_object_unref (room->command);
  g_free (room);
}

static void
show_progress (Matrix *matrix)
{
  if (isatty (STDERR_FILENO))
    fprintf (stderr, "\r\033[K%u of %u", matrix->done, matrix->total);
}

static void
hide_progress (void)
{
  if (isatty (STDERR_FILENO))
    fputs ("\r\033[K", stderr);
}

static void
signal_all (Matrix *matrix, int number)
{
  for (guint i = 0; i < matrix->running->len; i++)
    kh_command_signal (((Room *) g_ptr_array_index (matrix->running, i))->command, number);
}

static gboolean
on_patience_over (gpointer data)
{
  Matrix *matrix = data;

  matrix->deadline = 0;
  signal_all (matrix, SIGKILL);

  return G_SOURCE_REMOVE;
}

static void
stop (Matrix *matrix, int status)
{
  if (matrix->stopping)
    return;

  matrix->stopping = TRUE;
  matrix->status = status;
  matrix->deadline = g_timeout_add_seconds (PATIENCE_SECONDS, on_patience_over, matrix);
  signal_all (matrix, SIGTERM);
}

static void
take_result (Room *room, JsonObject *object)
{
  Matrix *matrix = room->matrix;
  const char *result = json_object_get_string_member_with_default (object, "result", "broken");
  const char *sentence = json_object_get_string_member_with_default (object, "sentence", NULL);

  room->told = TRUE;
  if (g_str_equal (result, KH_MEET_NO_LAB))
    {
      /* It would be the same for all the others. */
      if (matrix->fault == NULL)
        matrix->fault = g_strdup (sentence);
      stop (matrix, 1);
      return;
    }
  kh_matrix_table_add (matrix->table, room->left, room->right, result, sentence,
                       json_object_get_string_member_with_default (object, "kind", NULL),
                       (int) json_object_get_int_member_with_default (object, "elapsed_ms", -1));
}

static void
on_line (KhLineReader *reader, const char *line, gpointer data)
{
  g_autoptr (JsonNode) node = json_from_string (line, NULL);

  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    take_result (data, json_node_get_object (node));
}

static void fill (Matrix *matrix);

static void
look_for_end (Room *room)
{
  Matrix *matrix = room->matrix;

  if (kh_command_is_running (room->command) || kh_line_reader_is_open (room->reader))
    return;

  if (!room->told && !matrix->stopping)
    {
      g_autofree char *sentence =
          g_strdup_printf ("It ended with %d, without a word.", kh_command_get_status (room->command));

      kh_matrix_table_add (matrix->table, room->left, room->right, "broken", sentence, NULL, -1);
    }
  g_ptr_array_remove_fast (matrix->running, room);
  matrix->done++;
  show_progress (matrix);
  fill (matrix);
}

static KhCommand *
start_meet (Matrix *matrix, guint left, guint right, GError **error)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_add (argv, g_strdup ("/proc/self/exe"));
  g_ptr_array_add (argv, g_strdup ("--json"));
  g_ptr_array_add (argv, g_strdup_printf ("--left=%s", matrix->nats[left]));
  g_ptr_array_add (argv, g_strdup_printf ("--right=%s", matrix->nats[right]));
  g_ptr_array_add (argv, g_strdup_printf ("--timeout=%d", matrix->options->timeout));
  for (char **option = matrix->options->handed_on; *option != NULL; option++)
    g_ptr_array_add (argv, g_strdup (*option));
  g_ptr_array_add (argv, g_strdup ("meet"));
  g_ptr_array_add (argv, NULL);

  return kh_command_new (-1, (const char *const *) argv->pdata, NULL, KH_COMMAND_PIPED, error);
}

static gboolean
open_room (Matrix *matrix, guint left, guint right)
{
  g_autoptr (GError) error = NULL;
  KhCommand *command = start_meet (matrix, left, right, &error);
  Room *room;

  if (command == NULL)
    {
      matrix->fault = g_strdup (error->message);
      return FALSE;
    }
  room = g_new0 (Room, 1);
  room->matrix = matrix;
  room->left = left;
  room->right = right;
  room->command = command;
  room->reader = kh_line_reader_new (kh_command_get_stdout (command));
  g_ptr_array_add (matrix->running, room);
  g_signal_connect (room->reader, "line", G_CALLBACK (on_line), room);
  g_signal_connect_swapped (room->reader, "closed", G_CALLBACK (look_for_end), room);
  g_signal_connect_swapped (command, "ended", G_CALLBACK (look_for_end), room);

  return TRUE;
}

/* Each pair once, then each again: what there is when it is interrupted says most. */
static void
fill (Matrix *matrix)
{
  guint n_pairs = matrix->n * matrix->n;

  while (!matrix->stopping && matrix->next < matrix->total && matrix->running->len < (guint) matrix->options->jobs)
    {
      guint pair = matrix->next++ % n_pairs;

      if (!open_room (matrix, pair / matrix->n, pair % matrix->n))
        stop (matrix, 1);
    }
  if (matrix->running->len == 0)
    g_main_loop_quit (matrix->loop);
}

static void
on_interrupt (int status, gpointer data)
{
  stop (data, status);
}

static void
run_loop (Matrix *matrix)
{
  g_autoptr (KhInterrupt) interrupt = kh_interrupt_new (on_interrupt, matrix);

  matrix->loop = g_main_loop_new (NULL, FALSE);
  show_progress (matrix);
  fill (matrix);
  if (matrix->running->len > 0)
    g_main_loop_run (matrix->loop);

  hide_progress ();
  g_main_loop_unref (matrix->loop);
  g_clear_handle_id (&matrix->deadline, g_source_remove);
}

/* All that have a name and are a whole: a carrier's NAT is but the outer half of another one. */
static char **
get_all_nats (void)
{
  gsize n;
  const KhProfile *profiles = kh_profile_get_all (&n);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (gsize i = 0; i < n; i++)
    if (!g_str_equal (profiles[i].name, "carrier"))
      g_ptr_array_add (names, g_strdup (profiles[i].name));
  g_ptr_array_add (names, NULL);

  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

static guint
get_width (void)
{
  struct winsize size;

  return ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : WIDTH;
}

static void
report (Matrix *matrix)
{
  g_autofree char *text = NULL;

  if (matrix->fault != NULL)
    fprintf (stderr, "%s\n", matrix->fault);
  if (kh_matrix_table_count (matrix->table, KH_MATRIX_NOT_TRIED) == matrix->n * matrix->n)
    return;
  text = matrix->options->json ? kh_matrix_table_format_json (matrix->table)
                               : kh_matrix_table_format (matrix->table, get_width ());
  fputs (text, stdout);
}

/**
 * kh_matrix:
 * @options: which routers, how often, how many laboratories at once
 *
 * Lets friends meet behind every pair of routers, and prints who reached whom. It is not to be run in namespaces: each pair
 * gets some of its own.
 *
 * Returns: 0 when every pair connected or found no path, 130 when the user had enough, else 1
 */
int
kh_matrix (const KhLabOptions *options)
{
  Matrix matrix = { .options = options };

  matrix.nats = options->nats != NULL ? g_strdupv (options->nats) : get_all_nats ();
  matrix.n = g_strv_length (matrix.nats);
  matrix.total = matrix.n * matrix.n * options->rounds;
  matrix.table = kh_matrix_table_new ((const char *const *) matrix.nats);
  matrix.running = g_ptr_array_new_with_free_func (room_free);
  run_loop (&matrix);
  report (&matrix);
  if (matrix.status == 0 && !kh_matrix_table_is_sound (matrix.table))
    matrix.status = 1;

  g_ptr_array_unref (matrix.running);
  kh_matrix_table_free (matrix.table);
  g_strfreev (matrix.nats);
  g_free (matrix.fault);

  return matrix.status;
}
