/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-session.h"
#include "kh-test-widgets.h"

G_BEGIN_DECLS

/* A page by itself, and a session for it to follow, in which the test does what shall have happened. */
typedef struct
{
  KhSession *session;
  gpointer page;
  GtkWidget *window;
} KhTestPage;

void kh_test_page_set_up    (KhTestPage *fixture, GType type);
void kh_test_page_tear_down (KhTestPage *fixture, gconstpointer unused);

G_END_DECLS
