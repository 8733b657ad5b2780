/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test-page.h"

void
kh_test_page_set_up (KhTestPage *fixture, GType type)
{
  g_autoptr (KhSettings) settings = kh_settings_new ();

  fixture->session = kh_session_new (settings);
  fixture->page = g_object_new (type, NULL);
  fixture->window = kh_test_host (GTK_WIDGET (fixture->page));
}

void
kh_test_page_tear_down (KhTestPage *fixture, gconstpointer unused)
{
  kh_test_destroy (fixture->window);
  g_assert_finalize_object (fixture->session);
}
