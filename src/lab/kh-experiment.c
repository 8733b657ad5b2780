/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-experiment.h"

#include "kh-interrupt.h"
#include "kh-lab.h"
#include "kh-namespace.h"
#include "kh-reuse-report.h"

#include <stdio.h>
#include <unistd.h>

/* Laboratories at once. Each has its own networks; all of them are carried by this one process. */
#define MAX_LABS 20
/* A SYN that is lost is sent again after a second: silence is what both of them meet. */
#define PATIENCE_MS 1200

#define N_REUSE (KH_REUSE_BOTH + 1)

static const KhReuseCase router_cases[] = {
  { .first = KH_REUSE_ADDRESS, .later = KH_REUSE_ADDRESS },
  { .first = KH_REUSE_PORT, .later = KH_REUSE_PORT },
  { .first = KH_REUSE_BOTH, .later = KH_REUSE_BOTH },
  { .first = KH_REUSE_BOTH, .later = KH_REUSE_BOTH, .keep = TRUE },
};

/* A laboratory, and for how long one waits there before silence is silence. */
typedef struct
{
  KhLab *lab;
  guint patience;
} Room;

typedef struct
{
  const KhLabOptions *options;
  GArray *rows;  /* KhReuseRow */
  GArray *rooms; /* Room: one for each router of this round */
  guint n_running;
  guint n_done;
  guint next; /* the first row of the next round */
  gboolean watched;
  GCancellable *cancellable;
  GMainLoop *loop;
  int status;
} Experiment;

typedef struct
{
  Experiment *experiment;
  guint row;
} Pending;

/**
 * kh_experiment_check:
 * @options: a command line
 * @error: return location: %G_OPTION_ERROR
 *
 * Returns: whether there is such an experiment
 */
gboolean
kh_experiment_check (const KhLabOptions *options, GError **error)
{
  const char *name = options->arguments[0];

  if (name != NULL && g_str_equal (name, "close-then-reuse") && options->arguments[1] == NULL)
    return TRUE;
  if (name == NULL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "Which experiment? There is close-then-reuse.");
  else
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                 "There is no experiment \"%s\". There is close-then-reuse.",
                 options->arguments[1] != NULL ? options->arguments[1] : name);

  return FALSE;
}

static void
clear_row (gpointer data)
{
  g_clear_error (&((KhReuseRow *) data)->error);
}

static void
clear_room (gpointer data)
{
  g_object_unref (((Room *) data)->lab);
}

/* Every pair of options for the host; the telling ones for the routers, where they make no difference. */
static GArray *
plan_rows (const KhLabOptions *options)
{
  GArray *rows = g_array_new (FALSE, TRUE, sizeof (KhReuseRow));
  gsize n_profiles;
  const KhProfile *profiles = kh_profile_get_all (&n_profiles);
  gsize n_nats = options->nats != NULL ? g_strv_length (options->nats) : n_profiles;

  g_array_set_clear_func (rows, clear_row);
  for (guint keep = 0; keep < 2; keep++)
    for (KhReuse first = 0; first < N_REUSE; first++)
      for (KhReuse later = 0; later < N_REUSE; later++)
        {
          KhReuseRow row = { .what = { first, later, keep, .host_only = TRUE } };

          g_array_append_val (rows, row);
        }
  for (gsize i = 0; i < n_nats; i++)
    for (gsize n = 0; n < G_N_ELEMENTS (router_cases); n++)
      {
        KhReuseRow row = { .nat = options->nats != NULL ? options->nats[i] : profiles[i].name,
                           .what = router_cases[n] };

        g_array_append_val (rows, row);
      }

  return rows;
}

static KhReuseRow *
get_row (Experiment *self, guint number)
{
  return &g_array_index (self->rows, KhReuseRow, number);
}

static void
show_progress (Experiment *self)
{
  if (self->watched)
    fprintf (stderr, "\r%u of %u trials", self->n_done, self->rows->len);
}

static void
complain (Experiment *self, const GError *error)
{
  fprintf (stderr, "%s%s\n", self->watched ? "\r" : "", error->message);
  self->status = 1;
}

/* So long that a packet has come and gone even over slow links. */
static guint
get_patience (const KhNetworkSettings *network)
{
  const KhLinkSettings *links[] = { &network->left.up, &network->left.down, &network->right.up, &network->right.down };
  gint64 trip = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (links); i++)
    trip += links[i]->delay + links[i]->jitter;

  return PATIENCE_MS + (guint) (2 * trip / 1000);
}

/* Each laboratory's cables begin in an empty network of their own: their names are always the same. That network lives as long
 * as they do. */
static gboolean
open_room (Experiment *self, const char *nat, GError **error)
{
  KhNetworkSettings settings = self->options->network;
  Room room;
  int network;
  gboolean entered;

  settings.seed += self->next;
  if (!kh_home_parse (&settings.left, nat, error))
    return FALSE;
  network = kh_namespace_new_network (error);
  if (network < 0)
    return FALSE;
  entered = kh_namespace_enter (network, error);
  close (network);
  room.lab = entered ? kh_lab_new (&settings, error) : NULL;
  room.patience = get_patience (&settings);
  if (room.lab != NULL)
    g_array_append_val (self->rooms, room);

  return room.lab != NULL;
}

static void start_round (Experiment *self);

static void
on_trial_done (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autofree Pending *pending = data;
  Experiment *self = pending->experiment;
  KhReuseRow *row = get_row (self, pending->row);

  kh_reuse_trial_run_finish (result, &row->found, &row->error);
  self->n_done++;
  show_progress (self);
  if (--self->n_running > 0)
    return;

  g_array_set_size (self->rooms, 0);
  if (self->status == 0 && self->next < self->rows->len)
    start_round (self);
  else
    g_main_loop_quit (self->loop);
}

static gboolean
is_of_same_room (Experiment *self, guint row)
{
  return row > 0 && g_strcmp0 (get_row (self, row)->nat, get_row (self, row - 1)->nat) == 0;
}

static void
start_trial (Experiment *self, guint number, const Room *room)
{
  Pending *pending = g_new (Pending, 1);

  *pending = (Pending){ self, number };
  self->n_running++;
  kh_reuse_trial_run_async (room->lab, &get_row (self, number)->what, number % KH_REUSE_MAX_TRIALS, room->patience,
                            self->cancellable, on_trial_done, pending);
}

/* As many laboratories as there is room for, then all their trials at once. All are built before the first trial begins, for
 * that keeps this process busy for a while. */
static void
start_round (Experiment *self)
{
  g_autoptr (GError) error = NULL;
  guint first = self->next;
  guint room = 0;

  for (; self->next < self->rows->len; self->next++)
    {
      const char *nat = get_row (self, self->next)->nat;

      if (is_of_same_room (self, self->next))
        continue;
      if (self->rooms->len == MAX_LABS)
        break;
      if (!open_room (self, nat != NULL ? nat : "open", &error))
        {
          complain (self, error);
          g_main_loop_quit (self->loop);
          return;
        }
    }

  for (guint i = first; i < self->next; i++)
    {
      if (i > first && !is_of_same_room (self, i))
        room++;
      start_trial (self, i, &g_array_index (self->rooms, Room, room));
    }
}

static void
on_interrupt (int status, gpointer data)
{
  Experiment *self = data;

  self->status = status;
  g_cancellable_cancel (self->cancellable);
}

static gboolean
on_begin (gpointer data)
{
  Experiment *self = data;

  show_progress (self);
  start_round (self);

  return G_SOURCE_REMOVE;
}

static void
report (Experiment *self)
{
  const KhReuseRow *rows = &g_array_index (self->rows, KhReuseRow, 0);

  if (self->options->json)
    kh_reuse_report_print_json (rows, self->rows->len);
  else
    kh_reuse_report_print (rows, self->rows->len);
  for (guint i = 0; i < self->rows->len; i++)
    if (rows[i].error != NULL)
      self->status = 1;
}

/**
 * kh_experiment:
 * @options: which routers, and the links
 *
 * Repeats the experiment from which all this came: a connection to a server is closed, and its port is used again. Everything
 * has to be in namespaces of its own already.
 *
 * Returns: an exit status
 */
int
kh_experiment (const KhLabOptions *options)
{
  Experiment self = { .options = options, .rows = plan_rows (options), .watched = isatty (STDERR_FILENO) };
  g_autoptr (KhInterrupt) interrupt = kh_interrupt_new (on_interrupt, &self);

  self.rooms = g_array_new (FALSE, FALSE, sizeof (Room));
  g_array_set_clear_func (self.rooms, clear_room);
  self.cancellable = g_cancellable_new ();
  self.loop = g_main_loop_new (NULL, FALSE);
  g_idle_add (on_begin, &self);
  g_main_loop_run (self.loop);

  if (self.watched)
    fputs ("\r\033[K", stderr);
  if (self.status == 0)
    report (&self);
  g_array_unref (self.rooms);
  g_main_loop_unref (self.loop);
  g_object_unref (self.cancellable);
  g_array_unref (self.rows);

  return self.status;
}
