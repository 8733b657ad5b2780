/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KH_ERROR:
 *
 * The one error domain of the engine. A code says what an interface can do about it; the message is a
 * plain English sentence for a person, with a next step. Errors of the platform (%G_IO_ERROR) stay below
 * the rooms: what leaves one is either in this domain or %G_IO_ERROR_CANCELLED, which is never shown.
 */
#define KH_ERROR (kh_error_quark ())

/**
 * KhError:
 * @KH_ERROR_NO_PATH: no connection to the friend could be made
 * @KH_ERROR_BAD_CODE: the code cannot be right, or the two codes differ
 * @KH_ERROR_CROWDED: the code has been used by somebody already
 * @KH_ERROR_NOBODY_THERE: nobody waits at this code
 * @KH_ERROR_EXPIRED: the invite's life has ended
 * @KH_ERROR_SERVER_UNREACHABLE: the meeting server does not answer, or does not work with us
 * @KH_ERROR_LOST: the conversation broke off without a goodbye
 * @KH_ERROR_PROTOCOL: the other side sent what nobody should send, or speaks another version
 * @KH_ERROR_PORT: the local port asked for cannot be had
 * @KH_ERROR_TOO_LARGE: a message is larger than a conversation takes
 */
typedef enum
{
  KH_ERROR_NO_PATH,
  KH_ERROR_BAD_CODE,
  KH_ERROR_CROWDED,
  KH_ERROR_NOBODY_THERE,
  KH_ERROR_EXPIRED,
  KH_ERROR_SERVER_UNREACHABLE,
  KH_ERROR_LOST,
  KH_ERROR_PROTOCOL,
  KH_ERROR_PORT,
  KH_ERROR_TOO_LARGE,
} KhError;

GQuark      kh_error_quark     (void);
const char *kh_error_code_name (KhError code);

G_END_DECLS
