/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

G_DEFINE_QUARK (kh - namespace - error - quark, kh_namespace_error)

/* What an ordinary user's programs may be given inside, and only there: to set up networks and to enter them, to look at raw
 * packets. */
static const int capabilities[] = { CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN, CAP_SYS_PTRACE };

static gboolean
fail (GError **error, const char *what)
{
  g_set_error (error, KH_NAMESPACE_ERROR, KH_NAMESPACE_ERROR_FAILED, "%s: %s", what, g_strerror (errno));
  return FALSE;
}

static gboolean
has_setting (const char *path, const char *value)
{
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) && g_str_equal (g_strstrip (text), value);
}

/* Why namespaces are forbidden, as far as the system tells, and what would help. */
static const char *
find_reason (void)
{
  if (has_setting ("/proc/sys/user/max_user_namespaces", "0") || has_setting ("/proc/sys/user/max_net_namespaces", "0"))
    return "their number is limited to 0. As root: sysctl user.max_user_namespaces=1000 user.max_net_namespaces=1000";
  if (geteuid () != 0 && has_setting ("/proc/sys/kernel/unprivileged_userns_clone", "0"))
    return "only root may make them. As root: sysctl kernel.unprivileged_userns_clone=1, or run this as root";
  if (geteuid () != 0 && has_setting ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"))
    return "AppArmor takes an ordinary user's rights away in them. As root: sysctl "
           "kernel.apparmor_restrict_unprivileged_userns=0, or run this as root";

  return "a container or sandbox around this program forbids them. Run this outside of it, or give the container "
         "CAP_SYS_ADMIN and CAP_NET_ADMIN";
}

static gboolean
forbid (GError **error, const char *what)
{
  g_set_error (error, KH_NAMESPACE_ERROR, KH_NAMESPACE_ERROR_FORBIDDEN,
               "This system does not let us make networks of our own (%s: %s): %s.", what, g_strerror (errno),
               find_reason ());
  return FALSE;
}

static gboolean
write_file (const char *path, const char *text)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gboolean done;
  int reason;

  if (fd < 0)
    return FALSE;
  done = write (fd, text, strlen (text)) == (ssize_t) strlen (text);
  reason = errno;
  close (fd);
  errno = reason;

  return done;
}

/* Inside, we stay who we are: files and the user's bus know us by that number. */
static gboolean
map_user (uid_t user, gid_t group)
{
  g_autofree char *users = g_strdup_printf ("%u %u 1", user, user);
  g_autofree char *groups = g_strdup_printf ("%u %u 1", group, group);

  return write_file ("/proc/self/setgroups", "deny") && write_file ("/proc/self/uid_map", users) &&
         write_file ("/proc/self/gid_map", groups);
}

/* Rights in a user namespace end with exec, for all but root; these are handed on. */
static gboolean
hand_on_capabilities (void)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct data[2] = { 0 };

  if (syscall (SYS_capget, &header, data) != 0)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (capabilities); i++)
    data[CAP_TO_INDEX (capabilities[i])].inheritable |= CAP_TO_MASK (capabilities[i]);
  if (syscall (SYS_capset, &header, data) != 0)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (capabilities); i++)
    if (prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capabilities[i], 0, 0) != 0)
      return FALSE;

  return TRUE;
}

/**
 * kh_namespace_leave_host:
 * @processes: whether children live in a process namespace as well: the next one is its init, and all end with it
 * @error: return location
 *
 * Leaves the machine's network and mounts for empty ones of our own; an ordinary user becomes master of a user namespace
 * for it. Everything made there later is gone when its last process ends. Call it before any thread exists.
 *
 * Returns: whether it was done
 */
gboolean
kh_namespace_leave_host (gboolean processes, GError **error)
{
  int flags = CLONE_NEWNET | CLONE_NEWNS | (processes ? CLONE_NEWPID : 0);
  uid_t user = geteuid ();
  gid_t group = getegid ();

  if (user != 0 || unshare (flags) != 0)
    {
      if (unshare (CLONE_NEWUSER | flags) != 0)
        return forbid (error, "unshare");
      if (!map_user (user, group))
        return forbid (error, "user namespace");
      if (!hand_on_capabilities ())
        return forbid (error, "capabilities");
      /* Programs inside may find their networks in /proc: new rights had closed it to them. */
      prctl (PR_SET_DUMPABLE, 1);
    }

  if (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    return forbid (error, "mount");

  return TRUE;
}

/**
 * kh_namespace_open:
 *
 * Returns: a descriptor of the network that this thread is in
 */
int
kh_namespace_open (void)
{
  return open ("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

/**
 * kh_namespace_enter:
 * @network: a network
 * @error: return location
 *
 * Moves this thread there. Between fork and exec it does not allocate unless it fails.
 *
 * Returns: whether it was done
 */
gboolean
kh_namespace_enter (int network, GError **error)
{
  return setns (network, CLONE_NEWNET) == 0 || fail (error, "setns");
}

/* Does @work in another network, and comes back. A machine that is in the wrong network is no place to go on. */
static int
with_network (int network, int (*work) (gpointer), gpointer data, GError **error)
{
  int home = network >= 0 ? kh_namespace_open () : -1;
  int result;
  int reason;

  if (network < 0)
    return work (data);
  if (home < 0 || setns (network, CLONE_NEWNET) != 0)
    {
      fail (error, "setns");
      if (home >= 0)
        close (home);
      return -1;
    }
  result = work (data);
  reason = errno;
  if (setns (home, CLONE_NEWNET) != 0)
    g_error ("setns: %s", g_strerror (errno));
  close (home);
  errno = reason;

  return result;
}

/**
 * kh_namespace_new_network:
 * @error: return location
 *
 * Makes an empty network; this thread stays where it is.
 *
 * Returns: its descriptor, -1 on error
 */
int
kh_namespace_new_network (GError **error)
{
  int home = kh_namespace_open ();
  int network = -1;

  if (home < 0)
    {
      fail (error, "network namespace");
      return -1;
    }
  if (unshare (CLONE_NEWNET) != 0)
    forbid (error, "unshare");
  else
    {
      network = kh_namespace_open ();
      if (network < 0)
        fail (error, "network namespace");
      if (setns (home, CLONE_NEWNET) != 0)
        g_error ("setns: %s", g_strerror (errno));
    }
  close (home);

  return network;
}

typedef struct
{
  int family;
  int type;
  int protocol;
} Socket;

static int
make_socket (gpointer data)
{
  Socket *wanted = data;

  return socket (wanted->family, wanted->type | SOCK_CLOEXEC | SOCK_NONBLOCK, wanted->protocol);
}

/**
 * kh_namespace_socket:
 * @network: where it is to live, -1 for here: a socket stays in the network that it was made in
 * @error: return location
 *
 * Returns: a socket that does not block, -1 on error
 */
int
kh_namespace_socket (int network, int family, int type, int protocol, GError **error)
{
  Socket wanted = { family, type, protocol };
  int fd = with_network (network, make_socket, &wanted, error);

  if (fd < 0 && (error == NULL || *error == NULL))
    fail (error, "socket");

  return fd;
}

static void
enter_in_child (gpointer data)
{
  int network = GPOINTER_TO_INT (data);

  /* Ctrl+C ends us, who then end in order. */
  setpgid (0, 0);
  if (network >= 0 && !kh_namespace_enter (network, NULL))
    _exit (126);
}

/**
 * kh_namespace_ip:
 * @network: where, -1 for here
 * @other: a network that the commands speak of as `/proc/self/fd/3`, or -1
 * @commands: what ip(8) is to do, one command a line
 * @error: return location
 *
 * Returns: whether all was done
 */
gboolean
kh_namespace_ip (int network, int other, const char *commands, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr (GSubprocess) ip = NULL;
  g_autofree char *said = NULL;

  g_subprocess_launcher_set_child_setup (launcher, enter_in_child, GINT_TO_POINTER (network), NULL);
  if (other >= 0)
    g_subprocess_launcher_take_fd (launcher, dup (other), 3);
  ip = g_subprocess_launcher_spawn (launcher, error, "ip", "-batch", "-", NULL);
  if (ip == NULL)
    {
      g_prefix_error (error, "A network is set up by ip, of iproute2: ");
      return FALSE;
    }
  if (!g_subprocess_communicate_utf8 (ip, commands, NULL, NULL, &said, error))
    return FALSE;
  if (g_subprocess_get_successful (ip))
    return TRUE;

  g_set_error (error, KH_NAMESPACE_ERROR, KH_NAMESPACE_ERROR_FAILED, "ip: %s", g_strstrip (said));
  return FALSE;
}

typedef struct
{
  const char *path;
  const char *value;
} Setting;

static int
write_setting (gpointer data)
{
  Setting *setting = data;

  return write_file (setting->path, setting->value) ? 0 : -1;
}

/**
 * kh_namespace_set:
 * @network: where, -1 for here
 * @sysctl: below /proc/sys, such as `net/ipv4/ip_forward`
 * @value: its new value
 * @error: return location
 *
 * Returns: whether it was set
 */
gboolean
kh_namespace_set (int network, const char *sysctl, const char *value, GError **error)
{
  g_autofree char *path = g_build_filename ("/proc/sys", sysctl, NULL);
  Setting setting = { path, value };

  if (with_network (network, write_setting, &setting, error) == 0)
    return TRUE;

  if (error == NULL || *error == NULL)
    fail (error, path);
  return FALSE;
}
