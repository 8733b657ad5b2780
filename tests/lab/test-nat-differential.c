/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Is the model right? Plays the same packets to it and to the kernel's own NAT, and compares what comes out.
 *
 *   test-nat-differential [--kernel] [--only=TEXT] [--repeat=N] SCRIPT…
 *
 * --kernel shows what the kernel does and leaves the model alone; --repeat then says whether it always does so. */

#include "nat-player.h"

#include "kh-home.h"
#include "kh-namespace.h"

#include <locale.h>
#include <string.h>
#include <sys/utsname.h>

/* A random port may be the inside one, or another flow's: one in 64512, of the low ones one in 511. Not three times
 * over. */
#define CHANCES 3
/* A sequence whose lifetimes are a second shows nothing if the machine stood still for a good part of it. */
#define MAX_STALL (G_USEC_PER_SEC / 4)
#define MAX_STALLS 20

static gboolean kernel_only;
static char *only;
static int repeat = 1;
static char **scripts;
static guint n_cases;

static const GOptionEntry options[] = {
  { "kernel", 0, 0, G_OPTION_ARG_NONE, &kernel_only, "Show what the kernel does", NULL },
  { "only", 0, 0, G_OPTION_ARG_STRING, &only, "Only sequences with this in their names", "TEXT" },
  { "repeat", 0, 0, G_OPTION_ARG_INT, &repeat, "With --kernel: look whether it does the same so many times", "N" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &scripts, NULL, "SCRIPT…" },
  { NULL },
};

/* The profiles that say of themselves that they are Linux. */
static KhNatSettings
find_profile (const char *name)
{
  KhHome home = { 0 };
  g_autoptr (GError) error = NULL;

  if (!kh_home_parse (&home, name, &error))
    g_error ("%s", error->message);

  return home.routers[0];
}

static const NatStep *
get_step (const NatSequence *sequence, guint i)
{
  return &g_array_index (sequence->steps, NatStep, i);
}

static gint64
get_waits (const NatSequence *sequence)
{
  gint64 sum = 0;

  for (guint i = 0; i < sequence->steps->len; i++)
    sum += get_step (sequence, i)->microseconds;

  return sum;
}

/* What takes its time is not played to every profile: lifetimes have nothing to do with ports. */
static gboolean
is_for (const NatSequence *sequence, const KhNatSettings *profile)
{
  return profile->ports != KH_NAT_RANDOM || get_waits (sequence) == 0;
}

static char **
play_kernel_once (const NatSequence *sequence, const KhNatSettings *settings, gint64 *took)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NatBackend) kernel = kernel_nat_new (settings, &error);
  gint64 begin = g_get_monotonic_time ();
  char **trace;

  if (kernel == NULL)
    g_error ("%s", error->message);

  trace = nat_play (sequence, kernel);
  *took = g_get_monotonic_time () - begin - get_waits (sequence);

  return trace;
}

static char **
play_kernel (const NatSequence *sequence, const KhNatSettings *profile)
{
  KhNatSettings settings = *profile;
  gboolean hurry = nat_sequence_apply_options (sequence, &settings);

  for (int i = 0; i < MAX_STALLS; i++)
    {
      gint64 took;
      g_auto (GStrv) trace = play_kernel_once (sequence, &settings, &took);

      if (!hurry || took < MAX_STALL)
        return g_steal_pointer (&trace);
    }

  g_error ("%s: this machine is too slow for it", sequence->name);
}

static char **
play_model (const NatSequence *sequence, const KhNatSettings *profile, guint32 seed)
{
  KhNatSettings settings = *profile;
  g_autoptr (NatBackend) model = NULL;

  nat_sequence_apply_options (sequence, &settings);
  model = model_nat_new (&settings, seed);

  return nat_play (sequence, model);
}

static void
show_difference (const NatSequence *sequence, char **kernel, char **model)
{
  for (guint i = 0; i < sequence->steps->len; i++)
    {
      g_print ("# %s\n", get_step (sequence, i)->text);
      if (g_str_equal (kernel[i], model[i]))
        g_print ("#     both:   %s\n", kernel[i]);
      else
        g_print ("#     kernel: %s\n#     model:  %s\n", kernel[i], model[i]);
    }
}

static gboolean
holds_random_port (char **trace)
{
  for (; *trace != NULL; trace++)
    if (strstr (*trace, "port-") != NULL)
      return TRUE;

  return FALSE;
}

static gboolean
compare (const NatSequence *sequence, const KhNatSettings *profile)
{
  for (int i = 1; i <= CHANCES; i++)
    {
      g_auto (GStrv) kernel = play_kernel (sequence, profile);
      g_auto (GStrv) model = play_model (sequence, profile, (guint32) i);

      if (g_strv_equal ((const char *const *) kernel, (const char *const *) model))
        return TRUE;
      if (i < CHANCES && holds_random_port (kernel))
        continue;
      show_difference (sequence, kernel, model);
      break;
    }

  return FALSE;
}

typedef gboolean (*Visit) (const NatSequence *sequence, const KhNatSettings *profile);

/* Returns: for how many it was FALSE */
static guint
visit_all (GPtrArray *sequences, Visit visit)
{
  const char *const profiles[] = { "linux", "linux-random" };
  guint failed = 0;

  for (gsize p = 0; p < G_N_ELEMENTS (profiles); p++)
    for (guint i = 0; i < sequences->len; i++)
      {
        KhNatSettings profile = find_profile (profiles[p]);

        if (is_for (sequences->pdata[i], &profile) && !visit (sequences->pdata[i], &profile))
          failed++;
      }

  return failed;
}

static gboolean
report (const NatSequence *sequence, const KhNatSettings *profile)
{
  gboolean same = compare (sequence, profile);

  g_print ("%s %u %s: %s\n", same ? "ok" : "not ok", ++n_cases, profile->name, sequence->name);

  return same;
}

static void
show_trace (const NatSequence *sequence, const KhNatSettings *profile, char **trace)
{
  g_print ("[%s] %s\n", sequence->name, profile->name);
  for (guint i = 0; i < sequence->steps->len; i++)
    g_print ("  %s\n      %s\n", get_step (sequence, i)->text, trace[i]);
  g_print ("\n");
}

/* Returns: whether it is the same each time */
static gboolean
show_kernel (const NatSequence *sequence, const KhNatSettings *profile)
{
  g_auto (GStrv) first = play_kernel (sequence, profile);
  gboolean same = TRUE;

  show_trace (sequence, profile, first);
  for (int i = 2; i <= repeat; i++)
    {
      g_auto (GStrv) again = play_kernel (sequence, profile);

      if (g_strv_equal ((const char *const *) first, (const char *const *) again))
        continue;
      same = FALSE;
      g_print ("run %d is another: ", i);
      show_trace (sequence, profile, again);
    }

  return same;
}

static GPtrArray *
load_sequences (void)
{
  GPtrArray *sequences = g_ptr_array_new_with_free_func ((GDestroyNotify) nat_sequence_free);

  for (char **script = scripts; *script != NULL; script++)
    nat_sequences_load (sequences, *script);
  for (guint i = sequences->len; i-- > 0;)
    if (only != NULL && strstr (((NatSequence *) sequences->pdata[i])->name, only) == NULL)
      g_ptr_array_remove_index (sequences, i);

  return sequences;
}

/* Whether a router can be made here at all. */
static gboolean
try_kernel (GError **error)
{
  g_autoptr (NatBackend) kernel = NULL;
  KhNatSettings settings = find_profile ("linux");

  if (!kh_namespace_leave_host (FALSE, error))
    return FALSE;
  kernel = kernel_nat_new (&settings, error);

  return kernel != NULL;
}

static void
read_options (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || scripts == NULL)
    g_error ("%s", error != NULL ? error->message : "no script was given");
}

static int
give_up (const GError *error)
{
  gboolean forbidden = g_error_matches (error, KH_NAMESPACE_ERROR, KH_NAMESPACE_ERROR_FORBIDDEN);

  g_print ("%s %s\n", forbidden ? "1..0 # SKIP" : "Bail out!", error->message);

  return forbidden ? 0 : 1;
}

int
main (int argc, char *argv[])
{
  g_autoptr (GPtrArray) sequences = NULL;
  g_autoptr (GError) error = NULL;
  struct utsname system;
  guint differences;

  setlocale (LC_ALL, "");
  read_options (argc, argv);
  sequences = load_sequences ();
  if (!try_kernel (&error))
    return give_up (error);

  uname (&system);
  g_print ("# Linux %s\n", system.release);
  differences = visit_all (sequences, kernel_only ? show_kernel : report);
  if (kernel_only)
    g_print ("%u sequences, %d times each; %u were not always the same\n", sequences->len, repeat, differences);
  else
    g_print ("1..%u\n# %u sequences, %u differences\n", n_cases, sequences->len, differences);

  return differences == 0 ? 0 : 1;
}
