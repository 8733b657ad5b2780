/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-handshake.h"
#include "kh-role.h"

G_BEGIN_DECLS

/**
 * KhAgreementStep:
 * @KH_AGREEMENT_SEND: send `message` on `socket`
 * @KH_AGREEMENT_SELECTED: `socket` is the path as far as this side knows; may come again with another one
 * @KH_AGREEMENT_AGREED: `socket` is the path for both; the others may be closed now
 * @KH_AGREEMENT_REFUSE: what came on `socket` makes no sense there: close it
 */
typedef enum
{
  KH_AGREEMENT_SEND,
  KH_AGREEMENT_SELECTED,
  KH_AGREEMENT_AGREED,
  KH_AGREEMENT_REFUSE,
} KhAgreementStep;

/**
 * KhAgreementAction:
 *
 * Something the owner of the sockets has to do, in the order given.
 */
typedef struct
{
  KhAgreementStep step;
  guint socket;
  KhHandshake message;
} KhAgreementAction;

typedef struct _KhAgreement KhAgreement;

KhAgreement *kh_agreement_new          (KhRole role);
void         kh_agreement_free         (KhAgreement *self);
void         kh_agreement_add          (KhAgreement *self, guint socket, gint64 rtt, gint64 now);
void         kh_agreement_hear         (KhAgreement *self, guint socket, const KhHandshake *message, gint64 now);
void         kh_agreement_remove       (KhAgreement *self, guint socket, gint64 now);
void         kh_agreement_tick         (KhAgreement *self, gint64 now);
gint64       kh_agreement_get_deadline (KhAgreement *self);
gboolean     kh_agreement_next_action  (KhAgreement *self, KhAgreementAction *action);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhAgreement, kh_agreement_free)

G_END_DECLS
