#include "glm/cv.h"

#include <math.h>
#include <stdio.h>

#include "core/mem.h"
#include "core/par.h"

/* Rows of X that are predicted after a fold's path: those left out, or all of them (joint). */
typedef struct picked {
  int64_t m;
  int64_t *row;   /* m: which */
  int32_t *place; /* n: where each row is among them, or -1 */
  int32_t *at;    /* of one column: places and values of its entries */
  double *value;
} picked;

typedef struct fold {
  lar_status st;
  char why[256];
  int64_t points; /* that are done */
} fold;

typedef struct job {
  lar_cv *cv;
  const lar_path_ask *ask;
  const int64_t *fold;
  fold *each;
} job;

static int64_t columns(const lar_path_ask *a) {
  bool labels = (a->problem.family->traits & LAR_FAM_LABELS) != 0;
  return labels ? 1 : a->problem.rows.k;
}

static double weight(const lar_path_ask *a, int64_t i) {
  return a->problem.rows.w != NULL ? a->problem.rows.w[i] : 1;
}

/* ---- predictors of the rows left out ---- */

static void picked_clear(picked *h) {
  lar_free(h->row);
  lar_free(h->place);
  lar_free(h->at);
  lar_free(h->value);
}

static lar_status pick(picked *h, const job *j, int64_t f) {
  const lar_path_ask *a = j->ask;
  size_t n = (size_t)a->problem.rows.n + 1;
  bool all = (a->problem.family->traits & LAR_FAM_JOINT) != 0;
  LAR_TRY(lar_alloc_raw((void **)&h->row, n, sizeof *h->row));
  LAR_TRY(lar_alloc_raw((void **)&h->place, n, sizeof *h->place));
  LAR_TRY(lar_alloc_raw((void **)&h->at, n, sizeof *h->at));
  LAR_TRY(lar_alloc_raw((void **)&h->value, n, sizeof *h->value));
  for (int64_t i = 0; i < a->problem.rows.n; i++) {
    bool in = all || j->fold[i] == f;
    h->place[i] = in ? (int32_t)h->m : -1;
    if (in) h->row[h->m++] = i;
  }
  return LAR_OK;
}

/* The entries of column j in the picked rows. */
static int64_t gather(const picked *h, const lar_design *d, int64_t j) {
  int64_t count = 0;
  if (d->sparse == NULL) {
    const void *x = lar_tensor_data(&d->dense);
    for (; count < h->m; count++) {
      int64_t at = j * d->dense.stride[1] + h->row[count];
      h->at[count] = (int32_t)count;
      h->value[count] =
        d->dtype == LAR_F32 ? (double)((const float *)x)[at] : ((const double *)x)[at];
    }
    return count;
  }
  const lar_sparse *s = d->sparse;
  for (int64_t q = s->start[j]; q < s->start[j + 1]; q++) {
    int32_t at = h->place[s->index[q]];
    if (at < 0) continue;
    h->at[count] = at;
    h->value[count++] = d->dtype == LAR_F32 ? (double)((const float *)s->value)[q]
                                            : ((const double *)s->value)[q];
  }
  return count;
}

/* eta (points * k * m) of the picked rows. */
static void predict(double *eta, const picked *h, const lar_path_ask *a, const lar_path *path,
                    int64_t points) {
  int64_t k = path->k, n = a->problem.rows.n;
  const double *offset = a->problem.offset;
  for (int64_t lc = 0; lc < points * k; lc++)
    for (int64_t q = 0; q < h->m; q++)
      eta[lc * h->m + q] =
        path->intercept[lc] + (offset != NULL ? offset[lc % k * n + h->row[q]] : 0);
  for (int64_t j = 0; j < path->p; j++) {
    int64_t count = -1;
    for (int64_t lc = 0; lc < points * k; lc++) {
      double b = path->coef[lc * path->p + j];
      if (b == 0) continue;
      if (count < 0) count = gather(h, a->problem.x, j);
      double *to = eta + lc * h->m;
      for (int64_t q = 0; q < count; q++) to[h->at[q]] += b * h->value[q];
    }
  }
}

/* ---- scores ---- */

/* The picked rows as a response of their own, with weights w (sums to 1); buffers are owned. */
typedef struct answer {
  lar_rows rows;
  double *y, *w, *status;
} answer;

static void answer_clear(answer *r, const lar_family *family) {
  if (family->unready != NULL) family->unready(&r->rows);
  lar_free(r->y);
  lar_free(r->w);
  lar_free(r->status);
}

/* Of the picked rows, those that count: all of them, or without fold f. *total: sum of weights.
 */
static lar_status answer_init(answer *r, const picked *h, const job *j, int64_t without,
                              double *total) {
  const lar_problem *g = &j->ask->problem;
  int64_t cols = columns(j->ask), n = g->rows.n;
  r->rows = (lar_rows){.n = h->m, .k = g->rows.k};
  LAR_TRY(lar_alloc_raw((void **)&r->y, (size_t)(h->m * cols) + 1, sizeof *r->y));
  LAR_TRY(lar_alloc_raw((void **)&r->w, (size_t)h->m + 1, sizeof *r->w));
  if (g->rows.status != NULL)
    LAR_TRY(lar_alloc_raw((void **)&r->status, (size_t)h->m + 1, sizeof *r->status));
  *total = 0;
  for (int64_t q = 0; q < h->m; q++) {
    int64_t i = h->row[q];
    for (int64_t c = 0; c < cols; c++) r->y[c * h->m + q] = g->rows.y[c * n + i];
    if (r->status != NULL) r->status[q] = g->rows.status[i];
    r->w[q] = j->fold[i] == without ? 0 : weight(j->ask, i);
    *total += r->w[q];
  }
  if (*total > 0)
    for (int64_t q = 0; q < h->m; q++) r->w[q] /= *total;
  r->rows.y = r->y;
  r->rows.w = r->w;
  r->rows.status = r->status;
  return *total > 0 && g->family->ready != NULL ? g->family->ready(g->self, &r->rows) : LAR_OK;
}

/* out[l] += factor * deviance of the rows that count. */
static lar_status deviances(double *out, int64_t stride, const picked *h, const job *j,
                            int64_t without, const double *eta, int64_t points, double factor) {
  const lar_problem *g = &j->ask->problem;
  answer r = {0};
  double total = 0, at = 0;
  lar_status st = answer_init(&r, h, j, without, &total);
  double least = st == LAR_OK && total > 0 ? g->family->saturated(g->self, &r.rows) : 0;
  for (int64_t l = 0; l < points && st == LAR_OK && total > 0; l++) {
    st = g->family->value(g->self, &r.rows, eta + l * g->rows.k * h->m, &at);
    out[l * stride] += factor * total * 2 * (at - least);
  }
  answer_clear(&r, g->family);
  return st;
}

static lar_status score(const job *j, const picked *h, int64_t f, const double *eta,
                        int64_t points) {
  lar_cv *cv = j->cv;
  const lar_rows *rows = &j->ask->problem.rows;
  bool joint = (j->ask->problem.family->traits & LAR_FAM_JOINT) != 0;
  double *out = cv->score + f;
  for (int64_t i = 0; i < cv->n; i++)
    if (j->fold[i] == f)
      cv->weight[f] += weight(j->ask, i) * (joint && rows->status ? rows->status[i] : 1);
  LAR_TRY(deviances(out, cv->folds, h, j, -2, eta, points, 1));
  if (joint) LAR_TRY(deviances(out, cv->folds, h, j, f, eta, points, -1));
  for (int64_t l = 0; l < points; l++)
    out[l * cv->folds] = cv->weight[f] > 0 ? out[l * cv->folds] / cv->weight[f] : (double)NAN;
  return LAR_OK;
}

/* ---- folds ---- */

static void keep(const job *j, const picked *h, int64_t f, const double *eta, int64_t points) {
  lar_cv *cv = j->cv;
  for (int64_t lc = 0; lc < points * cv->k; lc++)
    for (int64_t q = 0; q < h->m; q++)
      if (j->fold[h->row[q]] == f) cv->eta[lc * cv->n + h->row[q]] = eta[lc * h->m + q];
}

static lar_status after(const job *j, int64_t f, const lar_path *path) {
  picked h = {0};
  double *eta = NULL;
  lar_status st = pick(&h, j, f);
  if (st != LAR_OK) goto done;
  LAR_GO(lar_alloc_raw((void **)&eta, (size_t)(path->n * path->k * h.m) + 1, sizeof *eta));
  predict(eta, &h, j->ask, path, path->n);
  keep(j, &h, f, eta, path->n);
  LAR_GO(score(j, &h, f, eta, path->n));
  for (int64_t l = 0; l < path->n; l++) j->cv->status[l * j->cv->folds + f] = path->status[l];
done:
  picked_clear(&h);
  lar_free(eta);
  return st;
}

static lar_status one(const job *j, int64_t f) {
  lar_path path = {0};
  lar_path_ask a = *j->ask;
  double *w = NULL;
  LAR_TRY(lar_alloc_raw((void **)&w, (size_t)j->cv->n + 1, sizeof *w));
  for (int64_t i = 0; i < j->cv->n; i++) w[i] = j->fold[i] == f ? 0 : weight(j->ask, i);
  a.problem.rows.w = w;
  a.early_end = false;
  lar_status st = lar_path_fit(&path, &a, NULL, NULL);
  if (st == LAR_OK) st = after(j, f, &path);
  bool cut = path.n > 0 && path.status[path.n - 1] == LAR_INTERRUPTED;
  j->each[f].points = path.n - cut;
  lar_path_clear(&path);
  lar_free(w);
  return st;
}

/* Sentences are kept a thread; the one that ends matters to the thread that asked. */
static void task(void *ctx, int64_t f) {
  const job *j = ctx;
  j->each[f].st = one(j, f);
  if (j->each[f].st != LAR_OK) snprintf(j->each[f].why, sizeof j->each[f].why, "%s", lar_why());
}

static lar_status check(const lar_path_ask *a, const int64_t *of, int64_t folds,
                        int64_t *count) {
  if (a->lambda == NULL) return lar_fail(LAR_EARG, "cv: lambda is not given");
  for (int64_t i = 0; i < a->problem.rows.n; i++) {
    if (of[i] < -1 || of[i] >= folds)
      return lar_fail(LAR_EARG, "cv: fold %lld of row %lld is not in 1..%lld",
                      (long long)of[i] + 1, (long long)i + 1, (long long)folds);
    if (of[i] >= 0) count[of[i]]++;
  }
  for (int64_t f = 0; f < folds; f++)
    if (count[f] == 0) return lar_fail(LAR_EARG, "cv: fold %lld has no rows", (long long)f + 1);
  return LAR_OK;
}

/* Does a fit call its caller back, who is on one thread? */
static bool calls_back(const lar_problem *g) {
  bool calls = (g->family->traits & LAR_FAM_CALLS) != 0;
  for (int k = 0; k < g->penalty->n; k++) {
    const lar_term *t = g->penalty->at[k].term;
    calls = calls || t->value_fn != NULL || t->prox_fn != NULL || t->lambda_fn != NULL;
  }
  return calls;
}

static lar_status room(lar_cv *cv, int64_t points) {
  size_t grid = (size_t)(cv->folds * points) + 1;
  LAR_TRY(lar_alloc((void **)&cv->eta, (size_t)(points * cv->k * cv->n) + 1, sizeof *cv->eta));
  LAR_TRY(lar_alloc((void **)&cv->score, grid, sizeof *cv->score));
  LAR_TRY(lar_alloc((void **)&cv->status, grid, sizeof *cv->status));
  LAR_TRY(lar_alloc((void **)&cv->finished, (size_t)cv->folds + 1, sizeof *cv->finished));
  return lar_alloc((void **)&cv->weight, (size_t)cv->folds + 1, sizeof *cv->weight);
}

/* After an interrupt, the folds that ended are judged by; where these are fewer than two, all,
 * as far as every one of them came. */
static lar_status gather_folds(lar_cv *cv, const fold *each) {
  int64_t ended = 0, least = cv->points;
  for (int64_t f = 0; f < cv->folds; f++) {
    if (each[f].st != LAR_OK)
      return lar_fail(each[f].st, "fold %lld: %s", (long long)f + 1, each[f].why);
    cv->finished[f] = each[f].points == cv->points;
    ended += cv->finished[f];
    if (each[f].points < least) least = each[f].points;
  }
  cv->interrupted = ended < cv->folds;
  if (ended >= 2) return LAR_OK;
  cv->points = least;
  for (int64_t f = 0; f < cv->folds; f++) cv->finished[f] = true;
  return LAR_OK;
}

lar_status lar_cv_fit(lar_cv *out, const lar_path_ask *ask, const int64_t *rows_fold,
                      int64_t folds) {
  fold *each = NULL;
  int64_t *count = NULL;
  *out = (lar_cv){.n = ask->problem.rows.n,
                  .k = ask->problem.rows.k,
                  .folds = folds,
                  .points = ask->n_lambda};
  lar_status st = lar_alloc((void **)&each, (size_t)folds + 1, sizeof *each);
  if (st == LAR_OK) st = lar_alloc((void **)&count, (size_t)folds + 1, sizeof *count);
  if (st == LAR_OK) st = check(ask, rows_fold, folds, count);
  if (st == LAR_OK) st = room(out, ask->n_lambda);
  if (st == LAR_OK) {
    job j = {out, ask, rows_fold, each};
    if (calls_back(&ask->problem))
      for (int64_t f = 0; f < folds; f++) task(&j, f);
    else
      lar_par_tasks(folds, task, &j);
    st = gather_folds(out, each);
  }
  lar_free(each);
  lar_free(count);
  if (st != LAR_OK) lar_cv_clear(out);
  return st;
}

void lar_cv_clear(lar_cv *cv) {
  lar_free(cv->eta);
  lar_free(cv->score);
  lar_free(cv->weight);
  lar_free(cv->status);
  lar_free(cv->finished);
  *cv = (lar_cv){0};
}
