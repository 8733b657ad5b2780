/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-home-page.h"

#include "kh-focus.h"
#include "kh-resource.h"

/**
 * KhHomePage:
 *
 * Where everybody begins: invite, or use a code.
 */
struct _KhHomePage
{
  AdwBin parent_instance;

  GtkWidget *status_page;
  GtkWidget *invite_button;
};

G_DEFINE_FINAL_TYPE (KhHomePage, kh_home_page, ADW_TYPE_BIN)

static gboolean
kh_home_page_grab_focus (GtkWidget *widget)
{
  return gtk_widget_grab_focus (KH_HOME_PAGE (widget)->invite_button);
}

static void
kh_home_page_class_init (KhHomePageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  widget_class->grab_focus = kh_home_page_grab_focus;
  widget_class->focus = kh_focus_child;

  gtk_widget_class_set_template_from_resource (widget_class, KH_RESOURCE "kh-home-page.ui");
  gtk_widget_class_bind_template_child (widget_class, KhHomePage, status_page);
  gtk_widget_class_bind_template_child (widget_class, KhHomePage, invite_button);
}

static void
kh_home_page_init (KhHomePage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  kh_focus_skip_scroller (self->status_page);
}
