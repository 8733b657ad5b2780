/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-checker.h"

#include "kh-check.h"
#include "kh-preferences.h"

/* Servers are not to be asked more often by itself, however often the network changes. */
#define MIN_SECONDS_BETWEEN 10
/* The long test ends at the latest after that. */
#define MAX_LONG_SECONDS (60 * 60)

/**
 * KhChecker:
 *
 * The network checks of a window: the usual one, which begins anew when the network has changed and somebody looks, and beside
 * it the long one, which only fills in what it alone can find out.
 */
struct _KhChecker
{
  GObject parent_instance;

  GSettings *preferences;
  KhFactsCache *cache;
  GNetworkMonitor *monitor;

  KhCheck *check;
  GCancellable *cancellable; /* NULL while none runs */
  KhCheckState state;
  gint64 started;   /* monotonic */
  gboolean stale;   /* what was found is of another network */
  gboolean watched; /* somebody looks */
  guint again_id;

  KhCheck *long_check;
  GCancellable *long_cancellable; /* NULL while none runs */
  guint long_deadline_id;

  KhCheckResult result; /* of both */
};

G_DEFINE_FINAL_TYPE (KhChecker, kh_checker, G_TYPE_OBJECT)

enum
{
  CHANGED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

/* What was found is put together from both checks: how long a connection lives is for the long one to say. */
static void
emit_changed (KhChecker *self)
{
  if (self->check != NULL)
    kh_check_get_result (self->check, &self->result);
  else
    kh_check_result_init (&self->result);
  self->result.state = self->state;
  if (self->long_check != NULL)
    {
      const KhFindings *more = kh_check_get_findings (self->long_check);
      KhFindings *findings = &self->result.findings;

      findings->facts.numbers[KH_FACT_IDLE_SECONDS] = more->facts.numbers[KH_FACT_IDLE_SECONDS];
      findings->reasons[KH_FINDING_IDLE] = more->reasons[KH_FINDING_IDLE];
    }
  g_signal_emit (self, signals[CHANGED], 0);
}

static KhCheck *
check_new (KhChecker *self)
{
  g_autoptr (KhSettings) settings = kh_preferences_to_settings (self->preferences);
  g_autoptr (KhTrace) trace = kh_trace_new ();
  KhCheck *check = kh_check_new (trace, (const char *const *) settings->stun_servers);

  kh_check_set_cache (check, self->cache);
  g_signal_connect_object (check, "changed", G_CALLBACK (emit_changed), self, G_CONNECT_SWAPPED);
  return check;
}

/* --- the usual check -------------------------------------------------------------------------------------------- */

static void
on_checked (GObject *check, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhChecker) self = user_data;
  KhCheckResult last;

  kh_check_run_finish (KH_CHECK (check), result, NULL); /* the state tells */
  if (self->check != KH_CHECK (check))
    return; /* another one has begun, or nobody wants to know */

  g_clear_object (&self->cancellable);
  kh_check_get_result (self->check, &last);
  self->state = last.state;
  emit_changed (self);
}

static void
forget_check (KhChecker *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  if (self->check != NULL)
    g_signal_handlers_disconnect_by_data (self->check, self);
  g_clear_object (&self->check);
}

/**
 * kh_checker_start:
 *
 * Checks the network; nothing happens while a check runs.
 */
void
kh_checker_start (KhChecker *self)
{
  g_return_if_fail (KH_IS_CHECKER (self));

  if (self->cancellable != NULL)
    return;

  forget_check (self);
  g_clear_handle_id (&self->again_id, g_source_remove);
  self->check = check_new (self);
  self->cancellable = g_cancellable_new ();
  self->state = KH_CHECK_STATE_RUNNING;
  self->stale = FALSE;
  self->started = g_get_monotonic_time ();
  kh_check_run_async (self->check, KH_CHECK_WHOLE, self->cancellable, on_checked, g_object_ref (self));
  emit_changed (self);
}

/**
 * kh_checker_stop:
 *
 * Stops the check; what has been found stays.
 */
void
kh_checker_stop (KhChecker *self)
{
  g_return_if_fail (KH_IS_CHECKER (self));

  g_cancellable_cancel (self->cancellable);
}

/* --- when somebody looks ---------------------------------------------------------------------------------------- */

static void refresh (KhChecker *self);

static gboolean
on_again (gpointer user_data)
{
  KhChecker *self = user_data;

  self->again_id = 0;
  refresh (self);
  return G_SOURCE_REMOVE;
}

/* Begins a check where one is due, or waits until it may. */
static void
refresh (KhChecker *self)
{
  gint64 waited = (g_get_monotonic_time () - self->started) / G_USEC_PER_SEC;
  gboolean due = self->state != KH_CHECK_STATE_DONE || self->stale;

  if (!self->watched || !due || self->again_id != 0)
    return;
  if (self->cancellable == NULL && (self->started == 0 || waited >= MIN_SECONDS_BETWEEN))
    {
      kh_checker_start (self);
      return;
    }

  self->again_id = g_timeout_add_seconds (MAX (MIN_SECONDS_BETWEEN - waited, 1), on_again, self);
  g_source_set_name_by_id (self->again_id, "kh-checker again");
}

static void
on_network_changed (GNetworkMonitor *monitor, gboolean available, KhChecker *self)
{
  self->stale = TRUE;
  refresh (self);
}

/**
 * kh_checker_watch:
 * @watched: whether somebody looks
 *
 * Checks the network for whom looks, unless it has been checked and is the same since.
 */
void
kh_checker_watch (KhChecker *self, gboolean watched)
{
  g_return_if_fail (KH_IS_CHECKER (self));

  self->watched = watched;
  g_clear_handle_id (&self->again_id, g_source_remove);
  if (watched && self->cancellable == NULL)
    refresh (self);
}

/* --- the long check --------------------------------------------------------------------------------------------- */

static void
on_long_checked (GObject *check, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhChecker) self = user_data;

  kh_check_run_finish (KH_CHECK (check), result, NULL); /* the findings tell why */
  if (self->long_check != KH_CHECK (check))
    return;

  g_clear_object (&self->long_cancellable);
  g_clear_handle_id (&self->long_deadline_id, g_source_remove);
  emit_changed (self);
}

static gboolean
on_long_deadline (gpointer user_data)
{
  KhChecker *self = user_data;

  self->long_deadline_id = 0;
  g_cancellable_cancel (self->long_cancellable);
  return G_SOURCE_REMOVE;
}

static void
forget_long_check (KhChecker *self)
{
  g_clear_handle_id (&self->long_deadline_id, g_source_remove);
  g_cancellable_cancel (self->long_cancellable);
  g_clear_object (&self->long_cancellable);
  if (self->long_check != NULL)
    g_signal_handlers_disconnect_by_data (self->long_check, self);
  g_clear_object (&self->long_check);
}

/**
 * kh_checker_start_long:
 *
 * Looks for how long a connection lives, an hour at most, beside everything else.
 */
void
kh_checker_start_long (KhChecker *self)
{
  g_return_if_fail (KH_IS_CHECKER (self));

  if (self->long_cancellable != NULL)
    return;

  forget_long_check (self);
  self->long_check = check_new (self);
  self->long_cancellable = g_cancellable_new ();
  self->long_deadline_id = g_timeout_add_seconds (MAX_LONG_SECONDS, on_long_deadline, self);
  g_source_set_name_by_id (self->long_deadline_id, "kh-checker long");
  kh_check_run_async (self->long_check, KH_CHECK_LONG, self->long_cancellable, on_long_checked, g_object_ref (self));
  emit_changed (self);
}

void
kh_checker_stop_long (KhChecker *self)
{
  g_return_if_fail (KH_IS_CHECKER (self));

  g_cancellable_cancel (self->long_cancellable);
}

/* --- what there is ---------------------------------------------------------------------------------------------- */

KhCheckState
kh_checker_get_state (KhChecker *self)
{
  return self->state;
}

gboolean
kh_checker_is_long_running (KhChecker *self)
{
  return self->long_cancellable != NULL;
}

/**
 * kh_checker_get_result:
 *
 * Returns: (transfer none): all that there is to show
 */
const KhCheckResult *
kh_checker_get_result (KhChecker *self)
{
  return &self->result;
}

/* --- the object ------------------------------------------------------------------------------------------------- */

static void
kh_checker_dispose (GObject *object)
{
  KhChecker *self = KH_CHECKER (object);

  g_clear_handle_id (&self->again_id, g_source_remove);
  forget_check (self);
  forget_long_check (self);
  g_clear_object (&self->preferences);
  g_clear_object (&self->cache);

  G_OBJECT_CLASS (kh_checker_parent_class)->dispose (object);
}

static void
kh_checker_class_init (KhCheckerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_checker_dispose;

  /**
   * KhChecker::changed:
   *
   * Something was found, or a check begins or ends.
   */
  signals[CHANGED] = g_signal_new ("changed", KH_TYPE_CHECKER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
kh_checker_init (KhChecker *self)
{
  kh_check_result_init (&self->result);
  self->monitor = g_network_monitor_get_default ();
  g_signal_connect_object (self->monitor, "network-changed", G_CALLBACK (on_network_changed), self, 0);
}

/**
 * kh_checker_new:
 * @preferences: where the servers are taken from, anew for each check
 * @cache: gets what is found
 *
 * Returns: (transfer full): checks that have not begun
 */
KhChecker *
kh_checker_new (GSettings *preferences, KhFactsCache *cache)
{
  KhChecker *self = g_object_new (KH_TYPE_CHECKER, NULL);

  self->preferences = g_object_ref (preferences);
  self->cache = g_object_ref (cache);
  return self;
}
