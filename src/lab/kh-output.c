/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-output.h"

#include <errno.h>
#include <stdio.h>

/**
 * kh_output_end:
 * @status: what the program would end with
 *
 * Sees to it that all that was printed has been written: who reads it is not to take a part for the whole.
 *
 * Returns: @status, or 1 and a sentence when it was not
 */
int
kh_output_end (int status)
{
  if (fflush (stdout) == 0 && !ferror (stdout))
    return status;
  fprintf (stderr, "The output cannot be written: %s.\n", g_strerror (errno));

  return status != 0 ? status : 1;
}
