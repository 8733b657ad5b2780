/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-keeper.h"

#include "kh-namespace.h"
#include "kh-output.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Three processes, so that nothing is left behind whatever ends first:
 *
 *   outer   what the user started: waits, hands signals on, has the exit status
 *   keeper  init of the process namespace: with it ends every process inside, and with these their networks and mounts. It is
 *           killed when the outer one dies, and ends when the worker does.
 *   worker  does the work
 */

static volatile pid_t below;

static const int handed_on[] = { SIGINT, SIGTERM, SIGHUP };

/* From before a child exists until it can be told: the keeper, as an init, would not even notice a signal that it has no handler
 * for. */
static void
hold_signals (sigset_t *before)
{
  sigset_t held;

  sigemptyset (&held);
  for (gsize i = 0; i < G_N_ELEMENTS (handed_on); i++)
    sigaddset (&held, handed_on[i]);
  sigprocmask (SIG_BLOCK, &held, before);
}

static void
hand_on (int number)
{
  int reason = errno;

  if (below > 0)
    kill (below, number);
  errno = reason;
}

static void
hand_signals_on (pid_t child, const sigset_t *before)
{
  struct sigaction action = { .sa_handler = hand_on, .sa_flags = SA_RESTART };

  below = child;
  for (gsize i = 0; i < G_N_ELEMENTS (handed_on); i++)
    sigaction (handed_on[i], &action, NULL);
  sigprocmask (SIG_SETMASK, before, NULL);
}

static int
wait_for (pid_t child)
{
  int status = 0;
  pid_t ended;

  do
    ended = waitpid (-1, &status, 0);
  while (ended != child && (ended > 0 || errno == EINTR));

  return WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
}

/* Dies with its parent, also when the parent was gone before this was asked for: then nobody holds the pipe any more. */
static void
die_with_parent (const int *life)
{
  struct pollfd end = { .fd = life[0], .events = POLLIN };

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  close (life[1]);
  if (poll (&end, 1, 0) != 0)
    _exit (1);
}

static int
keep (KhKeeperWork work, gpointer data, const int *life, const sigset_t *before)
{
  pid_t worker;

  die_with_parent (life);
  /* Where it is forbidden, programs see the machine's processes by the machine's numbers: most do not care. */
  mount ("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  mount ("knothole-lab", KH_KEEPER_FOLDER, "tmpfs", MS_NOSUID | MS_NODEV, "mode=700");

  worker = fork ();
  if (worker == 0)
    {
      sigprocmask (SIG_SETMASK, before, NULL);
      exit (kh_output_end (work (data)));
    }
  if (worker < 0)
    return 1;
  hand_signals_on (worker, before);

  return wait_for (worker);
}

/**
 * kh_keeper_run:
 * @work: what to do in namespaces of its own: an empty network, private mounts, new process numbers
 * @data: for @work
 * @error: return location
 *
 * Does the work, waits until it is done, and ends this process with its exit status: 128 + N when signal N ended it. Whatever
 * was started or made meanwhile is gone then, also when this process, or the one that works, is killed. Call it before any
 * thread exists. It returns only when the work could not begin.
 */
void
kh_keeper_run (KhKeeperWork work, gpointer data, GError **error)
{
  sigset_t before;
  int life[2];
  pid_t keeper;

  if (!kh_namespace_leave_host (TRUE, error))
    return;
  hold_signals (&before);
  if (pipe (life) != 0 || (keeper = fork ()) < 0)
    {
      sigprocmask (SIG_SETMASK, &before, NULL);
      g_set_error (error, KH_NAMESPACE_ERROR, KH_NAMESPACE_ERROR_FAILED, "A process cannot be started: %s",
                   g_strerror (errno));
      return;
    }
  if (keeper == 0)
    _exit (keep (work, data, life, &before));

  close (life[0]);
  hand_signals_on (keeper, &before);

  /* Nothing is left to be tidied up here, and nothing can be started any more in a process namespace that has ended, which a
   * leak checker at a usual exit would want to. */
  _exit (wait_for (keeper));
}

/**
 * kh_keeper_has_folder:
 *
 * Returns: whether %KH_KEEPER_FOLDER could be made ours: the machine's own is everybody's
 */
gboolean
kh_keeper_has_folder (void)
{
  struct stat folder;

  return stat (KH_KEEPER_FOLDER, &folder) == 0 && (folder.st_mode & 07777) == 0700;
}
