/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-code-fault.h"

G_BEGIN_DECLS

/**
 * KH_CODE_DEFAULT_WORDS:
 *
 * Words in a code of ours: 24 bits, since an invite may be shown for long.
 */
#define KH_CODE_DEFAULT_WORDS 3

/**
 * KH_CODE_MAX_WORDS:
 *
 * The most words we put in a code. Codes of others may have more.
 */
#define KH_CODE_MAX_WORDS 16

/**
 * KH_CODE_MAX_LENGTH:
 *
 * The longest code accepted, in bytes of UTF-8.
 */
#define KH_CODE_MAX_LENGTH 512

/**
 * KH_CODE_MAX_LINK_LENGTH:
 *
 * The longest link accepted, in bytes.
 */
#define KH_CODE_MAX_LINK_LENGTH 2000

char    *kh_code_generate           (const char   *nameplate,
                                     guint         words);
gboolean kh_code_nameplate_is_valid (const char   *nameplate);
char    *kh_code_get_nameplate      (const char   *code);
char    *kh_code_clean              (const char   *typed);
char    *kh_code_parse              (const char   *typed_or_link,
                                     char        **mailbox_url,
                                     GError      **error);
char    *kh_code_parse_explained    (const char   *typed_or_link,
                                     char        **mailbox_url,
                                     KhCodeFault  *fault);
char    *kh_code_find               (const char   *pasted);
char   **kh_code_complete           (const char   *typed,
                                     guint         words);
char    *kh_code_to_link            (const char   *code,
                                     const char   *mailbox_url);

G_END_DECLS
