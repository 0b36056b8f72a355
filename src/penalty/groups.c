/* Groups of coordinates: by a dimension, by ids, by lists. */
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "penalty/penalty.h"

void lar_groups_clear(lar_groups *g) {
  lar_free(g->start);
  lar_free(g->order);
  *g = (lar_groups){0};
}

static lar_status along(lar_groups *out, int dim, const lar_tensor *w) {
  *out = (lar_groups){.numel = lar_tensor_numel(w), .outer = 1, .inner = 1};
  out->n = w->shape[dim];
  for (int d = 0; d < dim; d++) out->outer *= w->shape[d];
  for (int d = dim + 1; d < w->ndim; d++) out->inner *= w->shape[d];
  return LAR_OK;
}

lar_status lar_groups_by(lar_groups *out, const char *by, const lar_tensor *w) {
  static const struct {
    const char *name;
    int dim, least; /* dimensions a tensor must have */
  } ways[] = {
    {"input", 1, 2}, {"column", 1, 2}, {"output", 0, 1}, {"row", 0, 1}, {"channel", 0, 1}};
  *out = (lar_groups){.n = 1, .numel = lar_tensor_numel(w), .outer = 1};
  out->inner = out->numel;
  if (strcmp(by, "all") == 0) return LAR_OK;
  *out = (lar_groups){0};
  for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
    if (strcmp(ways[k].name, by) != 0) continue;
    if (w->ndim < ways[k].least)
      return lar_fail(LAR_ESHAPE, "by = '%s' needs %d dimension%s; this has shape %s", by,
                      ways[k].least, ways[k].least > 1 ? "s" : "", lar_tensor_text(w));
    return along(out, ways[k].dim, w);
  }
  return lar_fail(LAR_EARG, "by = '%s' is not one of input, output, row, column, channel, all",
                  by);
}

static lar_status make(lar_groups *out, int64_t n, int64_t numel, int64_t listed) {
  void *p;
  out->n = n;
  out->numel = numel;
  LAR_TRY(lar_alloc(&p, (size_t)n + 2, sizeof *out->start));
  out->start = p;
  LAR_TRY(lar_alloc(&p, (size_t)listed + 1, sizeof *out->order));
  out->order = p;
  return LAR_OK;
}

/* Counts are at start[g + 2]; makes them positions at start[g + 1] that filling moves on. */
static void positions(lar_groups *g) {
  for (int64_t k = 2; k <= g->n + 1; k++) g->start[k] += g->start[k - 1];
}

static lar_status from_ids(lar_groups *out, const int64_t *id, int64_t numel) {
  int64_t n = 0, listed = 0;
  for (int64_t j = 0; j < numel; j++) {
    if (id[j] < 0 || id[j] > numel)
      return lar_fail(LAR_EARG, "group id %lld at position %lld is not in 0..%lld",
                      (long long)id[j], (long long)j + 1, (long long)numel);
    if (id[j] > n) n = id[j];
    listed += id[j] > 0;
  }
  LAR_TRY(make(out, n, numel, listed));
  for (int64_t j = 0; j < numel; j++)
    if (id[j] > 0) out->start[id[j] + 1]++;
  positions(out);
  for (int64_t j = 0; j < numel; j++)
    if (id[j] > 0) out->order[out->start[id[j]]++] = j;
  return LAR_OK;
}

lar_status lar_groups_ids(lar_groups *out, const lar_tensor *ids) {
  *out = (lar_groups){0};
  lar_status st = from_ids(out, lar_tensor_data(ids), lar_tensor_numel(ids));
  if (st != LAR_OK) lar_groups_clear(out);
  return st;
}

static lar_status ids_of_lists(int64_t *id, int64_t numel, int64_t n, const int64_t *sizes,
                               const int64_t *list) {
  for (int64_t k = 0; k < n; list += sizes[k++])
    for (int64_t i = 0; i < sizes[k]; i++) {
      if (list[i] < 1 || list[i] > numel)
        return lar_fail(LAR_EARG, "group %lld lists position %lld of a tensor with %lld",
                        (long long)k + 1, (long long)list[i], (long long)numel);
      if (id[list[i] - 1] == k + 1)
        return lar_fail(LAR_EARG, "position %lld is twice in group %lld", (long long)list[i],
                        (long long)k + 1);
      if (id[list[i] - 1] != 0)
        return lar_fail(LAR_EARG, "position %lld is in the groups %lld and %lld",
                        (long long)list[i], (long long)id[list[i] - 1], (long long)k + 1);
      id[list[i] - 1] = k + 1;
    }
  return LAR_OK;
}

lar_status lar_groups_lists(lar_groups *out, int64_t numel, int64_t n, const int64_t *sizes,
                            const int64_t *list) {
  void *id;
  *out = (lar_groups){0};
  LAR_TRY(lar_alloc(&id, (size_t)numel + 1, sizeof(int64_t)));
  lar_status st = ids_of_lists(id, numel, n, sizes, list);
  if (st == LAR_OK) st = from_ids(out, id, numel);
  if (st != LAR_OK) lar_groups_clear(out);
  lar_free(id);
  return st;
}

static int rises(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

/* Each list as it is, rising. */
static lar_status copy_lists(lar_groups *g, const int64_t *sizes, const int64_t *list) {
  int64_t filled = 0;
  for (int64_t k = 0; k < g->n; k++) {
    g->start[k] = filled;
    for (int64_t i = 0; i < sizes[k]; i++, filled++) {
      if (list[filled] < 1 || list[filled] > g->numel)
        return lar_fail(LAR_EARG, "group %lld lists position %lld of a tensor with %lld",
                        (long long)k + 1, (long long)list[filled], (long long)g->numel);
      g->order[filled] = list[filled] - 1;
    }
    qsort(g->order + g->start[k], (size_t)sizes[k], sizeof *g->order, rises);
    for (int64_t i = g->start[k] + 1; i < filled; i++)
      if (g->order[i] == g->order[i - 1])
        return lar_fail(LAR_EARG, "position %lld is twice in group %lld",
                        (long long)g->order[i] + 1, (long long)k + 1);
  }
  g->start[g->n] = filled;
  return LAR_OK;
}

/* Every group that a later one meets lies inside it. last[j] is the latest group of j, from 1;
 * met[k] counts how much of group k the later one holds. */
static lar_status check_nested(const lar_groups *g, int64_t *last, int64_t *met) {
  for (int64_t k = 0; k < g->n; k++) {
    LAR_GROUP_WALK(g, k, met[last[j]]++)
    LAR_GROUP_WALK(g, k, {
      int64_t in = last[j];
      if (in > 0 && met[in] != lar_groups_size(g, in - 1))
        return lar_fail(LAR_EARG,
                        "position %lld is in the groups %lld and %lld, and the second does not "
                        "hold the first",
                        (long long)j + 1, (long long)in, (long long)k + 1);
    })
    LAR_GROUP_WALK(g, k, met[last[j]] = 0)
    LAR_GROUP_WALK(g, k, last[j] = k + 1)
  }
  return LAR_OK;
}

lar_status lar_groups_cover(lar_groups *out, int64_t numel, int64_t n, const int64_t *sizes,
                            const int64_t *list, bool any) {
  void *last = NULL, *met = NULL;
  int64_t listed = 0;
  lar_status st = LAR_OK;
  *out = (lar_groups){0};
  for (int64_t k = 0; k < n; k++) listed += sizes[k];
  LAR_GO(make(out, n, numel, listed));
  LAR_GO(copy_lists(out, sizes, list));
  if (any) goto done;
  LAR_GO(lar_alloc(&last, (size_t)numel + 1, sizeof(int64_t)));
  LAR_GO(lar_alloc(&met, (size_t)n + 1, sizeof(int64_t)));
  LAR_GO(check_nested(out, last, met));
done:
  lar_free(last);
  lar_free(met);
  if (st != LAR_OK) lar_groups_clear(out);
  return st;
}

static double norm_of(const lar_groups *G, int64_t g, const lar_tensor *w) {
  double sum = 0;
  for (int64_t i = 0, n = lar_groups_size(G, g); i < n; i++) {
    int64_t j = G->order != NULL ? G->order[G->start[g] + i]
                                 : (i / G->inner * G->n + g) * G->inner + i % G->inner;
    double v = lar_tensor_get(w, j);
    sum += v * v;
  }
  return sqrt(sum);
}

void lar_groups_norms(const lar_groups *G, const lar_tensor *w, double *out) {
  for (int64_t g = 0; g < G->n; g++) out[g] = norm_of(G, g, w);
}

lar_status lar_groups_max(const lar_pen_at *at, const lar_tensor *g, double *out) {
  const lar_groups *G = at->groups;
  const double *weight = at->weight != NULL ? lar_tensor_data(at->weight) : NULL;
  *out = 0;
  for (int64_t k = 0; k < G->n; k++) {
    double size = (double)lar_groups_size(G, k), scale = weight != NULL ? weight[k] : 1;
    if (size == 0 || scale == 0) continue;
    double l = norm_of(G, k, g) / (sqrt(size) * scale);
    *out = l > *out || isnan(l) ? l : *out;
  }
  return LAR_OK;
}

static void add_edge(lar_groups *g, int64_t *filled, int64_t i, int64_t j) {
  g->start[*filled / 2] = *filled;
  g->order[(*filled)++] = i;
  g->order[(*filled)++] = j;
}

lar_status lar_groups_graph(lar_groups *out, const char *by, const lar_tensor *w) {
  bool grid = strcmp(by, "grid") == 0;
  int64_t n = w->ndim > 0 ? w->shape[w->ndim - 1] : 1, filled = 0;
  int64_t rows = w->ndim > 1 ? w->shape[w->ndim - 2] : 1;
  *out = (lar_groups){0};
  if (!grid && strcmp(by, "chain") != 0)
    return lar_fail(LAR_EARG, "by = '%s' is not one of chain, grid", by);
  int64_t numel = lar_tensor_numel(w), edges = 0;
  for (int64_t j = 0; j < numel; j++)
    edges += (j % n < n - 1) + (grid && j / n % rows < rows - 1);
  LAR_TRY(make(out, edges, numel, 2 * edges));
  for (int64_t j = 0; j < numel; j++) {
    if (j % n < n - 1) add_edge(out, &filled, j, j + 1);
    if (grid && j / n % rows < rows - 1) add_edge(out, &filled, j, j + n);
  }
  out->start[edges] = filled;
  return LAR_OK;
}

bool lar_groups_same(const lar_groups *a, const lar_groups *b) {
  if (a->n != b->n || a->numel != b->numel || (a->order == NULL) != (b->order == NULL))
    return false;
  if (a->order == NULL) return a->outer == b->outer && a->inner == b->inner;
  size_t starts = ((size_t)a->n + 1) * sizeof *a->start;
  return memcmp(a->start, b->start, starts) == 0 &&
         memcmp(a->order, b->order, (size_t)a->start[a->n] * sizeof *a->order) == 0;
}
