/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-network-facts.h"

#include "config.h"

#include "kh-fact-row.h"
#include "kh-network-summary.h"
#include "kh-resource.h"

#include <glib/gi18n.h>

/**
 * KhNetworkFacts:
 *
 * What is known of both networks, as soon as it is.
 */
struct _KhNetworkFacts
{
  AdwBin parent_instance;

  AdwActionRow *outside_row;
  AdwActionRow *router_row;
  AdwActionRow *friend_row;

  GSignalGroup *trace_signals;
  KhNetworkSummary summary;
};

G_DEFINE_FINAL_TYPE (KhNetworkFacts, kh_network_facts, ADW_TYPE_BIN)

static void
show_summary (KhNetworkFacts *self)
{
  kh_fact_row_set (self->outside_row, self->summary.outside != NULL ? self->summary.outside : _ ("Not known yet"));
  kh_fact_row_set (self->router_row, self->summary.router);
  kh_fact_row_set (self->friend_row, self->summary.friend);
}

static void
take_event (KhEvent *event, gpointer user_data)
{
  KhNetworkFacts *self = user_data;

  if (kh_network_summary_take (&self->summary, event))
    show_summary (self);
}

static void
on_events (GListModel *trace, guint position, guint removed, guint added, KhNetworkFacts *self)
{
  kh_trace_foreach (KH_TRACE (trace), position, added, take_event, self);
}

static void
kh_network_facts_dispose (GObject *object)
{
  g_clear_object (&KH_NETWORK_FACTS (object)->trace_signals);

  G_OBJECT_CLASS (kh_network_facts_parent_class)->dispose (object);
}

static void
kh_network_facts_finalize (GObject *object)
{
  kh_network_summary_clear (&KH_NETWORK_FACTS (object)->summary);

  G_OBJECT_CLASS (kh_network_facts_parent_class)->finalize (object);
}

static void
kh_network_facts_class_init (KhNetworkFactsClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = kh_network_facts_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_network_facts_finalize;

  gtk_widget_class_set_template_from_resource (widget_class, KH_RESOURCE "kh-network-facts.ui");
  gtk_widget_class_bind_template_child (widget_class, KhNetworkFacts, outside_row);
  gtk_widget_class_bind_template_child (widget_class, KhNetworkFacts, router_row);
  gtk_widget_class_bind_template_child (widget_class, KhNetworkFacts, friend_row);
}

static void
kh_network_facts_init (KhNetworkFacts *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));

  self->trace_signals = g_signal_group_new (KH_TYPE_TRACE);
  g_signal_group_connect (self->trace_signals, "items-changed", G_CALLBACK (on_events), self);
}

/**
 * kh_network_facts_set_trace:
 * @trace: (nullable): what to read from; what is in it already, and what comes
 */
void
kh_network_facts_set_trace (KhNetworkFacts *self, KhTrace *trace)
{
  g_return_if_fail (KH_IS_NETWORK_FACTS (self));

  g_signal_group_set_target (self->trace_signals, trace);
  kh_network_summary_clear (&self->summary);
  show_summary (self);
  if (trace != NULL)
    kh_trace_foreach (trace, 0, G_MAXUINT, take_event, self);
}
