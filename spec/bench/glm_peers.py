"""The problems of glm_bench.lua, and what glmnet and scikit-learn make of them.

usage: glm_peers.py write FOLDER NAME,NAME...
       glm_peers.py default FOLDER NAME              glmnet at its own tolerance
       glm_peers.py run FOLDER NAME PEER,PEER...     as fine as the gap asks for
Lines: peer seconds gap
"""
import os
import subprocess
import sys
import time

import numpy as np
import scipy.sparse as sp

TARGET, LAMBDAS, RATIO = 1e-6, 100, 1e-3


def chained(rng, n, p):
    """Columns of which each is half the one before."""
    x = rng.standard_normal((p, n)).T
    for j in range(1, p):
        x[:, j] = 0.5 * x[:, j - 1] + np.sqrt(0.75) * x[:, j]
    return (x - x.mean(0)) / x.std(0)


def response(rng, f):
    e = rng.standard_normal(len(f))
    y = f + e * np.linalg.norm(f) / np.linalg.norm(e) / 5
    return y - y.mean()


def regression(rng, n, p, k):
    x = np.asfortranarray(chained(rng, n, p))
    w = np.zeros(p)
    w[rng.choice(p, k, replace=False)] = rng.standard_normal(k)
    return x, response(rng, x @ w)


def factors(rng):
    n, p, r = 72, 7129, 12
    x = rng.standard_normal((n, r)) @ (rng.standard_normal((r, p)) * (rng.random((r, p)) < 0.3))
    x += rng.standard_normal((n, p))
    y = np.where(np.arange(n) < 47, 1.0, -1.0)
    x[:, :150] += 0.9 * y[:, None]
    x = np.asfortranarray((x - x.mean(0)) / x.std(0))
    return x, y - y.mean()


def text(rng):
    n, p = 20000, 50000
    often = (np.arange(p) + 10.0) ** -0.9
    count = np.clip(often / often.sum() * 2e6, 3, n // 2).astype(int)
    rng.shuffle(count)
    rows = np.concatenate([np.sort(rng.choice(n, c, replace=False)) for c in count])
    value = np.exp(0.5 * rng.standard_normal(len(rows))) * np.repeat(np.log(n / count), count)
    x = sp.csc_matrix((value, rows, np.r_[0, np.cumsum(count)]), shape=(n, p))
    norm = np.sqrt(np.asarray(x.multiply(x).sum(1)).ravel())
    x.data /= np.where(norm > 0, norm, 1)[x.indices]
    w = np.zeros(p)
    w[rng.choice(np.flatnonzero(count >= 50), 300, replace=False)] = rng.standard_normal(300)
    return x, response(rng, x @ w)


def make(name):
    rng = np.random.default_rng(1)
    if name == "dense":
        return regression(rng, 1000, 10000, 100)
    if name == "tall":
        return regression(rng, 100000, 100, 30)
    return factors(rng) if name == "leuk" else text(rng)


def write(folder, names):
    for name in names.split(","):
        at = os.path.join(folder, name)
        os.mkdir(at)
        x, y = make(name)
        top = np.abs(x.T @ y).max() / len(y)
        parts = {"y": y, "lambda": top * np.geomspace(1, RATIO, LAMBDAS)}
        if sp.issparse(x):
            parts.update(data=x.data, indices=x.indices.astype(np.int64),
                         indptr=x.indptr.astype(np.int64), shape=np.array(x.shape))
        else:
            parts["X"] = x
        for part, value in parts.items():
            np.save(os.path.join(at, part + ".npy"), value)


def read(folder, name):
    def part(what):
        return np.load(os.path.join(folder, name, what + ".npy"))
    x = part("X") if name != "sparse" else sp.csc_matrix(
        (part("data"), part("indices").astype(np.int32), part("indptr").astype(np.int32)),
        shape=tuple(part("shape")))
    return x, part("y"), part("lambda")


def worst_gap(x, y, w, lambdas):
    n, worst = len(y), 0.0
    for k, l in enumerate(lambdas):
        r = y - x @ w[:, k]
        s = min(r @ y / (r @ r), n * l / np.abs(x.T @ r).max())
        primal = r @ r / 2 + n * l * np.abs(w[:, k]).sum()
        worst = max(worst, (primal - s * (r @ y) + s * s * (r @ r) / 2) / (y @ y))
    return worst


def sklearn_path(x, y, lambdas, tol, folder, name):
    from sklearn.linear_model import enet_path
    start = time.perf_counter()
    w = enet_path(x, y, l1_ratio=1.0, alphas=lambdas, tol=tol, max_iter=10 ** 6,
                  precompute=len(y) > 4 * x.shape[1])[1]
    return w, time.perf_counter() - start


R = """
suppressMessages(library(glmnet)); a <- commandArgs(TRUE); at <- a[1]
rd <- function(f, what) readBin(file.path(at, f), what, n = 1e9)
d <- rd("dim.bin", "double"); y <- rd("y.bin", "double"); l <- rd("l.bin", "double")
x <- if (file.exists(file.path(at, "i.bin"))) new("dgCMatrix", x = rd("x.bin", "double"),
  i = rd("i.bin", "integer"), p = rd("p.bin", "integer"), Dim = as.integer(d)) else
  matrix(rd("x.bin", "double"), d[1], d[2])
glmnet.control(fdev = 0, devmax = 1)
t0 <- proc.time()[3]
f <- glmnet(x, y, lambda = l, standardize = FALSE, intercept = FALSE, thresh = as.numeric(a[2]),
  maxit = 1e8, type.gaussian = if (d[1] > 4 * d[2]) "covariance" else "naive")
t1 <- proc.time()[3]
writeBin(as.vector(as.matrix(f$beta)), file.path(at, "w.bin")); cat(t1 - t0, "\\n")
"""


def glmnet_path(x, y, lambdas, tol, folder, name):
    at = os.path.join(folder, name)

    def put(what, value, dtype=float):
        np.asarray(value, dtype=dtype).ravel(order="F").tofile(os.path.join(at, what + ".bin"))
    put("dim", x.shape)
    put("y", y)
    put("l", lambdas)
    put("x", x.data if sp.issparse(x) else x)
    if sp.issparse(x):
        put("i", x.indices, np.int32)
        put("p", x.indptr, np.int32)
    told = subprocess.run(["Rscript", "-e", R, at, repr(tol)], capture_output=True, text=True,
                          check=True).stdout
    w = np.fromfile(os.path.join(at, "w.bin")).reshape(x.shape[1], -1, order="F")
    return w, float(told.split()[-1])


PEERS = {"glmnet": (glmnet_path, range(9, 17)), "scikit-learn": (sklearn_path, range(4, 9))}


def tell(peer, folder, name, tol):
    x, y, lambdas = read(folder, name)
    w, seconds = PEERS[peer][0](x, y, lambdas, tol, folder, name)
    gap = worst_gap(x, y, w, lambdas[:w.shape[1]])
    return gap, "%s %.4f %.3g" % (peer, seconds, gap)


def run(folder, name, peers):
    for peer in peers.split(","):
        for digits in PEERS[peer][1]:
            gap, line = tell(peer, folder, name, 10.0 ** -digits)
            if gap <= TARGET:
                print(line, flush=True)
                break


if __name__ == "__main__":
    what, rest = sys.argv[1], sys.argv[2:]
    try:
        if what == "default":
            print(tell("glmnet", *rest, 1e-7)[1])
        else:
            {"write": write, "run": run}[what](*rest)
    except (ImportError, OSError, subprocess.CalledProcessError) as why:
        sys.exit("%s: a peer is missing" % why)
