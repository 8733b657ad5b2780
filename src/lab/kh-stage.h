/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-lab-options.h"
#include "kh-lab.h"

G_BEGIN_DECLS

typedef struct _KhStage KhStage;

/**
 * KhStagePlay:
 * @stage: a stage on which the servers listen
 * @data: as given
 *
 * What is played. It ends with kh_stage_end(), soon when the stage's cancellable is cancelled.
 */
typedef void (*KhStagePlay) (KhStage *stage, gpointer data);

int           kh_stage_run             (const KhLabOptions *options, KhStagePlay play, gpointer data, GError **error);
KhLab        *kh_stage_get_lab         (KhStage *self);
GCancellable *kh_stage_get_cancellable (KhStage *self);
void          kh_stage_end             (KhStage *self, int status);

G_END_DECLS
