/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-failure.h"

#include "config.h"

#include <glib/gi18n.h>

/* What an inviter reads and what a joiner reads; the joiner's is the same where it is NULL. */
typedef struct
{
  const char *title;
  const char *inviter;
  const char *joiner;
  gboolean try_again;
  gboolean preferences;
} Words;

static const Words table[] = {
  [KH_ERROR_NO_PATH] = {
    N_("No Way Through"),
    N_("You met your friend, but no way between your two networks worked. Try again with a new code. If it does not "
       "work again, one of you should use another network, such as a phone's hotspot."),
  },
  [KH_ERROR_BAD_CODE] = {
    N_("The Code Does Not Match"),
    N_("Somebody came with a wrong code, so yours is void now. Perhaps your friend mistyped it; perhaps somebody was "
       "guessing. Make a new code."),
    N_("Your code and your friend's are different. A code can be tried once: ask your friend for a new one."),
  },
  [KH_ERROR_CROWDED] = {
    N_("The Code Is Used Up"),
    N_("Others are using this code already. Make a new one, and give it to one friend only."),
    N_("Somebody else has used this code already. Ask your friend for a new one."),
  },
  [KH_ERROR_NOBODY_THERE] = {
    N_("Nobody Is There"),
    N_("Nobody came to this code. Make a new one."),
    N_("Nobody is waiting with this code. Compare it with your friend's, and ask whether Knothole is still open there."),
    TRUE,
  },
  [KH_ERROR_EXPIRED] = {
    N_("The Code Has Run Out"),
    N_("Nobody used the code in time, so it is not valid any more. Make a new one."),
    N_("The code is not valid any more. Ask your friend for a new one."),
  },
  [KH_ERROR_SERVER_UNREACHABLE] = {
    N_("The Meeting Server Does Not Answer"),
    N_("Check your internet connection. If you named a meeting server in Preferences, check its address: most end "
       "in /v1."),
    NULL,
    TRUE,
    TRUE,
  },
  [KH_ERROR_LOST] = {
    N_("The Connection Broke Off"),
    N_("The connection ended unexpectedly. To go on talking, make a new code."),
    N_("The connection ended unexpectedly. To go on talking, ask your friend for a new code."),
  },
  [KH_ERROR_PROTOCOL] = {
    N_("The Programs Do Not Understand Each Other"),
    N_("The other side said something that Knothole cannot read. Both of you should use the newest version."),
  },
  [KH_ERROR_PORT] = {
    N_("The Local Port Cannot Be Used"),
    N_("Another program may have the port that you chose in Preferences. Choose another one there, or 0 for any."),
    NULL,
    TRUE,
    TRUE,
  },
  [KH_ERROR_TOO_LARGE] = {
    N_("Too Long"),
    N_("The message is too long. Send it in parts."),
  },
};

/**
 * kh_failure_for_error:
 * @code: why a session ended
 * @role: which side we are
 *
 * Returns: it in words, with a next step; the texts are static
 */
KhFailure
kh_failure_for_error (KhError code, KhRole role)
{
  const Words *words = &table[(gsize) code < G_N_ELEMENTS (table) ? code : KH_ERROR_PROTOCOL];
  const char *sentence = role == KH_ROLE_JOINER && words->joiner != NULL ? words->joiner : words->inviter;

  return (KhFailure){ _ (words->title), _ (sentence), words->try_again, words->preferences };
}
