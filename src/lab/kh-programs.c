/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-programs.h"

#include <unistd.h>

/* Where Knothole's programs are below a build directory. */
static const struct
{
  const char *name;
  const char *folder;
} folders[] = {
  { "knothole", "app" },
  { "knothole-cli", "cli" },
  { "knothole-lab", "lab" },
  { "knothole-server", "server" },
};

static char *
try (const char *directory, const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (directory, folder, name, NULL);

  return access (path, X_OK) == 0 ? g_steal_pointer (&path) : NULL;
}

static const char *
find_folder (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (folders); i++)
    if (g_str_equal (folders[i].name, name))
      return folders[i].folder;

  return "";
}

/* Beside each other, as installed, or as built. */
static char *
find_in (const char *directory, const char *name)
{
  const char *folder = find_folder (name);
  g_autofree char *built = g_build_filename ("src", folder, NULL);
  g_autofree char *beside = g_build_filename ("..", folder, NULL);
  const char *const places[] = { "", built, beside };
  char *found = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (places) && found == NULL; i++)
    found = try (directory, places[i], name);

  return found;
}

/**
 * kh_programs_find:
 * @bindir: (nullable): where the user says that Knothole's programs are: installed ones, or a build directory
 * @name: one of them
 * @error: return location
 *
 * Looks there, or beside this program, then in PATH.
 *
 * Returns: (transfer full) (nullable): its path
 */
char *
kh_programs_find (const char *bindir, const char *name, GError **error)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *directory = bindir != NULL ? g_canonicalize_filename (bindir, NULL)
                               : self != NULL ? g_path_get_dirname (self)
                                              : g_strdup (".");
  char *found = find_in (directory, name);

  if (found == NULL && bindir == NULL)
    found = g_find_program_in_path (name);
  if (found == NULL)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "%s is not in %s%s. Tell with --bindir where it is.", name,
                 directory, bindir == NULL ? " nor in PATH" : "");

  return found;
}
