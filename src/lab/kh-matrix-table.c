/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-matrix-table.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define GAP 2

/* All rounds of one pair. */
typedef struct
{
  guint rounds;
  guint connected;
  guint no_path;
  char *kind;
  GArray *times; /* milliseconds of those that connected */
  char *failure; /* the first that was neither */
  char *sentence;
} Pair;

/**
 * KhMatrixTable:
 *
 * What came of every pair of routers, and how it is shown.
 */
struct _KhMatrixTable
{
  char **nats;
  guint n;
  Pair *pairs;
};

static Pair *
get_pair (KhMatrixTable *self, guint left, guint right)
{
  return &self->pairs[left * self->n + right];
}

/**
 * kh_matrix_table_new:
 * @nats: the routers: each invites each
 *
 * Returns: (transfer full): an empty table
 */
KhMatrixTable *
kh_matrix_table_new (const char *const *nats)
{
  KhMatrixTable *self = g_new0 (KhMatrixTable, 1);

  self->nats = g_strdupv ((char **) nats);
  self->n = g_strv_length (self->nats);
  self->pairs = g_new0 (Pair, self->n * self->n);
  for (guint i = 0; i < self->n * self->n; i++)
    self->pairs[i].times = g_array_new (FALSE, FALSE, sizeof (int));

  return self;
}

void
kh_matrix_table_free (KhMatrixTable *self)
{
  for (guint i = 0; i < self->n * self->n; i++)
    {
      g_free (self->pairs[i].kind);
      g_free (self->pairs[i].failure);
      g_free (self->pairs[i].sentence);
      g_array_unref (self->pairs[i].times);
    }
  g_free (self->pairs);
  g_strfreev (self->nats);
  g_free (self);
}

/**
 * kh_matrix_table_add:
 * @self: a table
 * @left: number of the inviter's router
 * @right: number of the joiner's
 * @result: %KH_MATRIX_CONNECTED, %KH_MATRIX_NO_PATH, or another code
 * @sentence: (nullable): why it failed
 * @kind: (nullable): of the path
 * @elapsed_ms: until it stood
 *
 * Adds a round.
 */
void
kh_matrix_table_add (KhMatrixTable *self, guint left, guint right, const char *result, const char *sentence,
                     const char *kind, int elapsed_ms)
{
  Pair *pair = get_pair (self, left, right);

  pair->rounds++;
  if (g_str_equal (result, KH_MATRIX_CONNECTED))
    {
      pair->connected++;
      g_free (pair->kind);
      pair->kind = g_strdup (kind);
      g_array_append_val (pair->times, elapsed_ms);
    }
  else if (g_str_equal (result, KH_MATRIX_NO_PATH))
    pair->no_path++;
  else if (pair->failure == NULL)
    {
      pair->failure = g_strdup (result);
      pair->sentence = g_strdup (sentence);
    }
}

static const char *
get_result (const Pair *pair)
{
  if (pair->failure != NULL)
    return pair->failure;
  if (pair->no_path > 0)
    return KH_MATRIX_NO_PATH;

  return pair->connected > 0 ? KH_MATRIX_CONNECTED : KH_MATRIX_NOT_TRIED;
}

/**
 * kh_matrix_table_get_result:
 *
 * Returns: the worst that a pair's rounds ended in; %KH_MATRIX_NOT_TRIED without any
 */
const char *
kh_matrix_table_get_result (KhMatrixTable *self, guint left, guint right)
{
  return get_result (get_pair (self, left, right));
}

static int
compare_times (gconstpointer a, gconstpointer b)
{
  return *(const int *) a - *(const int *) b;
}

static int
get_median (const Pair *pair)
{
  if (pair->times->len == 0)
    return -1;
  g_array_sort (pair->times, compare_times);

  return g_array_index (pair->times, int, pair->times->len / 2);
}

/**
 * kh_matrix_table_get_median:
 *
 * Returns: milliseconds until a pair's path stood, -1 when it never did
 */
int
kh_matrix_table_get_median (KhMatrixTable *self, guint left, guint right)
{
  return get_median (get_pair (self, left, right));
}

/**
 * kh_matrix_table_count:
 *
 * Returns: how many pairs have that result
 */
guint
kh_matrix_table_count (KhMatrixTable *self, const char *result)
{
  guint n = 0;

  for (guint i = 0; i < self->n * self->n; i++)
    n += g_str_equal (get_result (&self->pairs[i]), result);

  return n;
}

/**
 * kh_matrix_table_is_sound:
 *
 * Returns: whether every pair was tried, and either connected or found no path
 */
gboolean
kh_matrix_table_is_sound (KhMatrixTable *self)
{
  return kh_matrix_table_count (self, KH_MATRIX_CONNECTED) + kh_matrix_table_count (self, KH_MATRIX_NO_PATH) ==
         self->n * self->n;
}

/* The kind of path that most pairs have. */
static const char *
find_usual_kind (KhMatrixTable *self)
{
  const char *usual = NULL;
  guint most = 0;

  for (guint i = 0; i < self->n * self->n; i++)
    {
      guint n = 0;

      for (guint k = i; k < self->n * self->n; k++)
        n += self->pairs[i].kind != NULL && g_strcmp0 (self->pairs[i].kind, self->pairs[k].kind) == 0;
      if (n > most)
        {
          most = n;
          usual = self->pairs[i].kind;
        }
    }

  return usual;
}

/* What stands for a pair; @unsaid: the kind of path that needs no word. */
static char *
format_cell (const Pair *pair, const char *unsaid)
{
  const char *result = get_result (pair);

  if (pair->failure != NULL)
    return g_strdup ("fails");
  if (g_str_equal (result, KH_MATRIX_NOT_TRIED))
    return g_strdup ("?");
  if (pair->connected == 0)
    return g_strdup ("–");
  if (pair->no_path > 0)
    return g_strdup_printf ("%u/%u", pair->connected, pair->rounds);
  if (g_strcmp0 (pair->kind, unsaid) == 0)
    return g_strdup_printf ("%d", get_median (pair));

  return g_strdup_printf ("%s %d", pair->kind, get_median (pair));
}

static char **
format_cells (KhMatrixTable *self, const char *unsaid)
{
  char **cells = g_new0 (char *, self->n * self->n + 1);

  for (guint i = 0; i < self->n * self->n; i++)
    cells[i] = format_cell (&self->pairs[i], unsaid);

  return cells;
}

static guint
get_column_width (KhMatrixTable *self, char **cells, guint column)
{
  glong width = column >= 9 ? 2 : 1;

  for (guint row = 0; row < self->n; row++)
    width = MAX (width, g_utf8_strlen (cells[row * self->n + column], -1));

  return width + GAP;
}

static guint
get_name_width (KhMatrixTable *self)
{
  glong width = 0;

  for (guint i = 0; i < self->n; i++)
    width = MAX (width, g_utf8_strlen (self->nats[i], -1));

  return width;
}

static guint
get_width (KhMatrixTable *self, char **cells)
{
  guint width = get_name_width (self) + 3;

  for (guint i = 0; i < self->n; i++)
    width += get_column_width (self, cells, i);

  return width;
}

/* printf() counts bytes. */
static void
append_right (GString *text, const char *word, guint width)
{
  for (glong n = g_utf8_strlen (word, -1); n < (glong) width; n++)
    g_string_append_c (text, ' ');
  g_string_append (text, word);
}

static void
append_grid (KhMatrixTable *self, GString *text, char **cells)
{
  guint name_width = get_name_width (self);

  append_right (text, "", name_width + 3);
  for (guint column = 0; column < self->n; column++)
    {
      g_autofree char *number = g_strdup_printf ("%u", column + 1);

      append_right (text, number, get_column_width (self, cells, column));
    }
  g_string_append_c (text, '\n');

  for (guint row = 0; row < self->n; row++)
    {
      g_string_append_printf (text, "%2u %s", row + 1, self->nats[row]);
      append_right (text, "", name_width - g_utf8_strlen (self->nats[row], -1));
      for (guint column = 0; column < self->n; column++)
        append_right (text, cells[row * self->n + column], get_column_width (self, cells, column));
      g_string_append_c (text, '\n');
    }
}

static void
append_legend (KhMatrixTable *self, GString *text, const char *unsaid)
{
  g_string_append (text, "\nRows invite, columns join. ");
  if (unsaid != NULL)
    g_string_append_printf (text, "A number: connected, by %s unless it says otherwise, after so many milliseconds.\n",
                            unsaid);
  else
    g_string_append (text, "How they connected, and after how many milliseconds.\n");
  g_string_append (text, "–: no direct path.");
  if (kh_matrix_table_count (self, KH_MATRIX_NOT_TRIED) > 0)
    g_string_append (text, " ?: not tried.");
  g_string_append_printf (text, "\n%u of %u pairs connected.\n", kh_matrix_table_count (self, KH_MATRIX_CONNECTED),
                          self->n * self->n);
}

/* What is more than a cell can tell. */
static void
append_remarks (KhMatrixTable *self, GString *text)
{
  for (guint i = 0; i < self->n * self->n; i++)
    {
      const Pair *pair = &self->pairs[i];

      if (pair->failure == NULL && (pair->connected == 0 || pair->no_path == 0))
        continue;
      g_string_append_printf (text, "%s invites %s: %u of %u rounds connected", self->nats[i / self->n],
                              self->nats[i % self->n], pair->connected, pair->rounds);
      if (pair->failure != NULL)
        g_string_append_printf (text, ", %s: %s", pair->failure, pair->sentence != NULL ? pair->sentence : "");
      g_string_append_c (text, '\n');
    }
}

/**
 * kh_matrix_table_format:
 * @self: a table
 * @width: columns there are; where they are too few, the usual kind of path is said once, below
 *
 * Returns: (transfer full): the table for people
 */
char *
kh_matrix_table_format (KhMatrixTable *self, guint width)
{
  g_auto (GStrv) cells = format_cells (self, NULL);
  const char *unsaid = NULL;
  GString *text = g_string_new (NULL);

  if (get_width (self, cells) > width)
    {
      unsaid = find_usual_kind (self);
      g_strfreev (cells);
      cells = format_cells (self, unsaid);
    }
  append_grid (self, text, cells);
  append_legend (self, text, unsaid);
  append_remarks (self, text);

  return g_string_free (text, FALSE);
}

static JsonNode *
make_text (const char *text)
{
  return text != NULL ? json_node_init_string (json_node_alloc (), text) : json_node_new (JSON_NODE_NULL);
}

static char *
format_pair_json (KhMatrixTable *self, guint i)
{
  const Pair *pair = &self->pairs[i];
  JsonObject *object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);

  json_object_set_string_member (object, "left", self->nats[i / self->n]);
  json_object_set_string_member (object, "right", self->nats[i % self->n]);
  json_object_set_int_member (object, "rounds", pair->rounds);
  json_object_set_int_member (object, "connected", pair->connected);
  json_object_set_string_member (object, "result", get_result (pair));
  json_object_set_member (object, "kind", make_text (pair->kind));
  if (pair->connected > 0)
    json_object_set_int_member (object, "median_ms", get_median (pair));
  else
    json_object_set_null_member (object, "median_ms");
  json_object_set_member (object, "sentence", make_text (pair->sentence));
  json_object_unref (object);

  return json_to_string (node, FALSE);
}

/**
 * kh_matrix_table_format_json:
 *
 * Returns: (transfer full): an array with one object a pair, one a line
 */
char *
kh_matrix_table_format_json (KhMatrixTable *self)
{
  GString *text = g_string_new ("[\n");

  for (guint i = 0; i < self->n * self->n; i++)
    {
      g_autofree char *line = format_pair_json (self, i);

      g_string_append_printf (text, "%s%s\n", line, i + 1 < self->n * self->n ? "," : "");
    }
  g_string_append (text, "]\n");

  return g_string_free (text, FALSE);
}
