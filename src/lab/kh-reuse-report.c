/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-reuse-report.h"

#include <stdio.h>
#include <string.h>

#define N_REUSE (KH_REUSE_BOTH + 1)
#define MAX_COLUMNS 5

static const char *const option_names[N_REUSE] = { "neither", "SO_REUSEADDR", "SO_REUSEPORT", "both" };

static void
print_hosts_legend (void)
{
  puts ("  yes: a listener and dials, side by side\n"
        "  dial, then listen: in this order only; beside a listener a dial is EADDRINUSE");
}

static void
print_routers_legend (void)
{
  puts ("  closed: with SO_REUSEADDR, SO_REUSEPORT or both on every socket of the port; kept open: with both\n"
        "  a stranger: dials the mapping; we listen on its port, and have sent nothing there\n"
        "  a friend: dials the mapping from a fixed port, just after we have dialled that port\n"
        "  only our dial: the friend's did not come in; ours left by another port, and found the friend's listener\n"
        "  lost: seen as another port, because the connection was closed; another: seen so in any case");
}

/* A table whose columns are as wide as what is in them. */
typedef struct
{
  guint n_columns;
  GPtrArray *cells;
} Table;

static Table
table_new (guint n_columns)
{
  return (Table){ n_columns, g_ptr_array_new_with_free_func (g_free) };
}

static void
table_add (Table *self, const char *cell)
{
  g_ptr_array_add (self->cells, g_strdup (cell));
}

static const char *
table_get (const Table *self, guint place)
{
  return g_ptr_array_index (self->cells, place);
}

static void
table_print (Table *self)
{
  int widths[MAX_COLUMNS] = { 0 };

  for (guint i = 0; i < self->cells->len; i++)
    widths[i % self->n_columns] = MAX (widths[i % self->n_columns], (int) strlen (table_get (self, i)));
  for (guint i = 0; i < self->cells->len; i++)
    {
      gboolean last = i % self->n_columns == self->n_columns - 1;

      printf ("%*s%-*s%s", i % self->n_columns == 0 ? 0 : 2, "", last ? 0 : widths[i % self->n_columns],
              table_get (self, i), last ? "\n" : "");
    }
  g_ptr_array_unref (self->cells);
}

static gboolean
is_same_port (const KhReuseRow *row)
{
  return kh_endpoint_equal (&row->found.mapping, &row->found.afterwards);
}

/**
 * kh_reuse_row_get_afterwards:
 * @self: what was found out about a router
 * @rows: (array length=n_rows): all that was found out: with the connection kept open the same router tells whether closing
 *   made the difference
 * @n_rows: how many
 *
 * Returns: what has become of the mapping
 */
KhAfterwards
kh_reuse_row_get_afterwards (const KhReuseRow *self, const KhReuseRow *rows, gsize n_rows)
{
  if (self->found.last_dial.outcome != KH_OUTCOME_CONNECTED)
    return KH_AFTERWARDS_NOTHING;
  if (is_same_port (self))
    return KH_AFTERWARDS_SAME;
  for (gsize i = 0; i < n_rows; i++)
    if (g_strcmp0 (rows[i].nat, self->nat) == 0 && rows[i].what.keep && rows[i].error == NULL &&
        is_same_port (&rows[i]))
      return KH_AFTERWARDS_LOST;

  return KH_AFTERWARDS_ANOTHER;
}

static char *
describe_dial (const KhDialResult *dial)
{
  switch (dial->outcome)
    {
    case KH_OUTCOME_CONNECTED:
      return g_strdup ("connected");
    case KH_OUTCOME_SILENCE:
      return g_strdup ("silence");
    case KH_OUTCOME_REFUSED:
      return g_strdup ("refused");
    case KH_OUTCOME_ICMP:
      /* RFC 1812 section 5.2.7.1 */
      if (dial->icmp_type == 3 && dial->icmp_code == 13)
        return g_strdup ("ICMP: prohibited");
      return g_strdup_printf ("ICMP %d, code %d", dial->icmp_type, dial->icmp_code);
    case KH_OUTCOME_NONE:
    case KH_OUTCOME_FAILED:
    default:
      return g_strdup (kh_lab_socket_reason (dial->reason));
    }
}

static char *
describe_stranger (const KhReuseResult *found)
{
  g_autofree char *text = describe_dial (&found->stranger);

  if (found->listen == 0)
    return g_steal_pointer (&text);

  return g_strdup_printf ("%s (listener: %s)", text, kh_lab_socket_reason (found->listen));
}

static char *
describe_friend (const KhReuseResult *found)
{
  if (!found->friend_connected)
    return describe_dial (found->our_dial.outcome == KH_OUTCOME_FAILED ? &found->our_dial : &found->their_dial);
  if (!kh_endpoint_equal (&found->seen_by_friend, &found->mapping))
    return g_strdup ("only our dial");
  if (found->at_their_listener)
    return g_strdup ("connected, at the friend's listener");

  return g_strdup (found->at_our_listener ? "connected, at our listener" : "connected");
}

static char *
describe_afterwards (const KhReuseRow *row, const KhReuseRow *rows, gsize n_rows)
{
  static const char *const names[] = { "the same", "another", "lost" };
  KhAfterwards afterwards = kh_reuse_row_get_afterwards (row, rows, n_rows);

  return afterwards == KH_AFTERWARDS_NOTHING ? describe_dial (&row->found.last_dial) : g_strdup (names[afterwards]);
}

/* What a row says, without what was tried: rows that say the same become one. */
typedef struct
{
  char *stranger;
  char *friend;
  char *afterwards;
} Words;

static void
words_clear (Words *words)
{
  g_free (words->stranger);
  g_free (words->friend);
  g_free (words->afterwards);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Words, words_clear)

static Words
describe (const KhReuseRow *row, const KhReuseRow *rows, gsize n_rows)
{
  if (row->error != NULL)
    return (Words){ g_strdup (row->error->message), g_strdup (""), g_strdup ("") };

  return (Words){ describe_stranger (&row->found), describe_friend (&row->found),
                  describe_afterwards (row, rows, n_rows) };
}

static gboolean
is_same (const Words *a, const Words *b)
{
  return g_str_equal (a->stranger, b->stranger) && g_str_equal (a->friend, b->friend) &&
         g_str_equal (a->afterwards, b->afterwards);
}

/* How many rows of one router, from the first on, say the same. */
static gsize
count_same (const KhReuseRow *row, const KhReuseRow *rows, gsize n_rows)
{
  g_auto (Words) words = describe (row, rows, n_rows);
  gsize n = 1;

  for (; row + n < rows + n_rows && g_str_equal (row[n].nat, row->nat); n++)
    {
      g_auto (Words) next = describe (&row[n], rows, n_rows);

      if (!is_same (&next, &words))
        break;
    }

  return n;
}

/* "closed" alone stands for all three ways to set the options. */
static char *
describe_what (const KhReuseRow *row, gsize n)
{
  GString *options;

  if (n == N_REUSE)
    return g_strdup ("closed or kept open");
  if (row->what.keep)
    return g_strdup ("kept open");
  if (n == N_REUSE - 1 && !row[n - 1].what.keep)
    return g_strdup ("closed");

  options = g_string_new ("closed");
  for (gsize i = 0; i < n; i++)
    g_string_append_printf (options, "%s%s", i == 0 ? ", " : " / ",
                            row[i].what.keep ? "kept open" : option_names[row[i].what.later]);

  return g_string_free (options, FALSE);
}

static void
print_routers (const KhReuseRow *rows, gsize n_rows)
{
  static const char *const head[] = { "router", "connection", "a stranger", "a friend", "the port afterwards" };
  Table table = table_new (G_N_ELEMENTS (head));
  const char *before = NULL;
  gsize same;

  for (gsize i = 0; i < G_N_ELEMENTS (head); i++)
    table_add (&table, head[i]);
  for (gsize i = 0; i < n_rows; i += same)
    {
      g_auto (Words) words = describe (&rows[i], rows, n_rows);
      g_autofree char *what = NULL;

      same = count_same (&rows[i], rows, n_rows);
      what = describe_what (&rows[i], same);
      table_add (&table, g_strcmp0 (rows[i].nat, before) == 0 ? "" : rows[i].nat);
      table_add (&table, what);
      table_add (&table, words.stranger);
      table_add (&table, words.friend);
      table_add (&table, words.afterwards);
      before = rows[i].nat;
    }
  table_print (&table);
  print_routers_legend ();
}

static char *
describe_host (const KhReuseRow *row)
{
  const KhReuseResult *found = &row->found;
  gboolean alone = found->listen == 0 && found->dial == 0;

  if (row->error != NULL)
    return g_strdup (row->error->message);
  if (alone && found->listen_beside == 0)
    return found->dial_beside == 0 ? g_strdup ("yes") : g_strdup ("dial, then listen");
  if (found->listen == found->dial && found->dial == found->dial_beside && found->dial == found->listen_beside)
    return g_strdup (kh_lab_socket_reason (found->listen));

  return g_strdup_printf ("listen %s, dial %s, beside %s, %s", kh_lab_socket_reason (found->listen),
                          kh_lab_socket_reason (found->dial), kh_lab_socket_reason (found->dial_beside),
                          kh_lab_socket_reason (found->listen_beside));
}

/* Every pair of options, as a square. */
static void
print_square (const KhReuseRow *square, const char *title)
{
  Table table = table_new (N_REUSE + 1);

  printf ("The same port again on our own host, the first connection %s\n", title);
  table_add (&table, "options of the first socket");
  for (KhReuse later = 0; later < N_REUSE; later++)
    {
      g_autofree char *head = g_strdup_printf ("%s%s", later == 0 ? "of later ones: " : "", option_names[later]);

      table_add (&table, head);
    }
  for (guint i = 0; i < N_REUSE * N_REUSE; i++)
    {
      g_autofree char *cell = describe_host (&square[i]);

      if (i % N_REUSE == 0)
        table_add (&table, option_names[i / N_REUSE]);
      table_add (&table, cell);
    }
  table_print (&table);
}

static gboolean
are_alike (const KhReuseRow *square, const KhReuseRow *other)
{
  for (guint i = 0; i < N_REUSE * N_REUSE; i++)
    {
      g_autofree char *one = describe_host (&square[i]);
      g_autofree char *two = describe_host (&other[i]);

      if (!g_str_equal (one, two))
        return FALSE;
    }

  return TRUE;
}

/**
 * kh_reuse_report_print:
 * @rows: (array length=n_rows): first those about the host: closed, then kept open, each pair of options; then those about
 *   routers, each router's together
 * @n_rows: how many
 *
 * Prints two tables and what their words mean.
 */
void
kh_reuse_report_print (const KhReuseRow *rows, gsize n_rows)
{
  const KhReuseRow *kept = rows + N_REUSE * N_REUSE;
  const KhReuseRow *routers = kept + N_REUSE * N_REUSE;
  gboolean alike = are_alike (rows, kept);

  print_square (rows, alike ? "closed or kept open" : "closed");
  if (!alike)
    print_square (kept, "kept open");
  print_hosts_legend ();

  puts ("\nWhat comes through the router");
  print_routers (routers, n_rows - (gsize) (routers - rows));
}
