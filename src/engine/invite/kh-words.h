/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define KH_WORDS_COUNT 256

/**
 * KhWordList:
 * @KH_WORDS_ODD: words of three syllables: the first, third, … of a code
 * @KH_WORDS_EVEN: words of two syllables: the second, fourth, …
 *
 * The two halves of the PGP word list, one word for each byte value. They alternate in a code, so that a swapped
 * or left-out word shows.
 */
typedef enum
{
  KH_WORDS_ODD,
  KH_WORDS_EVEN,
} KhWordList;

KhWordList  kh_words_list_at    (guint        position);
const char *kh_words_get        (KhWordList   list,
                                 guint8       byte);
gboolean    kh_words_contains   (KhWordList   list,
                                 const char  *word);
gboolean    kh_words_is_listed  (const char  *word);
gboolean    kh_words_all_listed (char       **words);
char      **kh_words_complete   (KhWordList   list,
                                 const char  *prefix);
const char *kh_words_nearest    (KhWordList   list,
                                 const char  *word,
                                 guint        most);

G_END_DECLS
