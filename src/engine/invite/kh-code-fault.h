/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KhCodeFault:
 * @sentence: (nullable): static English for a person, with `{word}` and `{meant}` where these stand; %NULL while there
 *   is no fault
 * @word: (nullable): the word it is about, as a stranger may have written it: bounded and safe to show
 * @meant: (nullable): the word that was probably meant
 *
 * Why a text is no code. It is in parts so that an interface can translate the sentence, and then fill it with
 * kh_code_fault_fill(). Starts as `{ NULL }`.
 */
typedef struct
{
  const char *sentence;
  char *word;
  char *meant;
} KhCodeFault;

char *kh_code_fault_fill  (const KhCodeFault *self,
                           const char        *sentence);
void  kh_code_fault_clear (KhCodeFault       *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (KhCodeFault, kh_code_fault_clear)

G_END_DECLS
