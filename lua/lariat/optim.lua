--- Optimisers.
--
-- `optim.adam { lr = 1e-3 }` is a recipe, for `lariat.fit`. `optim.adam(net, { lr = 1e-3,
-- penalty = reg })` is an optimiser for steps by hand: a model, or a list of tensors, comes
-- first. A step clips the loss's gradient, adds the gradient of smooth penalties, updates,
-- takes the proximal step of the others in the rule's own metric, and moves the averages.
-- Parameters that are frozen do not move.
--
-- The prox of some penalties (slope, nuclear, tv1d, unit_norm, ...: `print(penalty)` says so)
-- knows no metric. A rule with a step for each coordinate (adam and its like) then takes one
-- for all of that parameter, in gradient and prox alike: lr over the root mean square of the
-- rule's divisors, which leaves the step as long as it was. So it too rests at the minimum of
-- loss plus penalty, where a prox in another metric than the gradient's would not.
--
-- Options of every rule that steps batch by batch (for the others see `lbfgs`):
--
-- - `lr`: the learning rate, above 0;
-- - `penalty`: see `lariat.penalty`;
-- - `clip_norm`: longest gradient over all parameters together; `clip_value`: largest entry;
-- - `ema`: decay of an average of the weights (0.999; sooner at the start: at step t at most
--   (1 + t) / (10 + t)); `opt:swap_ema()` puts the averages in the model and takes them out;
-- - `sam = { rho = 0.05 }`: sharpness-aware minimisation (Foret et al. 2021, ICLR). The
--   gradient is taken rho uphill, along the gradient of the loss, for a step from where one
--   was; `fit` sees to it, at twice the passes. By hand: `opt:ascend()` after `backward()`, the
--   loss and its `backward()` again, `opt:step()`, which goes back first (as `opt:descend()`);
-- - `groups`: a list of `{ on = glob or kind or list, lr = ..., ... }` with settings of their
--   own; a parameter follows the first that matches. Their lr keeps its ratio to `opt.lr`.
--
-- An optimiser has the fields `lr`, `t` (steps taken), `penalty`, `clip_norm`, `clip_value`,
-- `ema`, `grad_norm` (of the last step, before clipping) and the rule's own (`momentum`,
-- `beta1`, ...), to read and, but for t and grad_norm, to set; and the methods
-- `opt:zero_grad()`, `opt:step([state])`, `opt:state()`, `opt:load_state(t)`, `opt:swap_ema()`,
-- `opt:get_lambda(term)`, `opt:set_lambda(term, number or nil)`: the strength of a penalty's
-- term ("l1"), in place of its own until set to nil; and `opt:forward(net, x, y, loss
-- [, state]) -> prediction, penalty, loss`: what `penalty:forward` gives, with the strengths
-- that are in force in the optimiser: penalties of activations and derivatives are to be added
-- to the loss. `state` is what lambda functions get; they are called once a step, by `forward`
-- if it comes first.
-- @module lariat.optim
-- @usage local opt = lariat.optim.sgd(net, { lr = 0.1, penalty = lariat.penalty.l1(0.01) })
-- opt:zero_grad()
-- lariat.loss.squared(net(x), y):backward()
-- opt:step()

local core = require "lariat.core"

local optim = {}

local constructor = core.optim.constructor

--- Gradient descent on the whole data at once: `w <- w - lr g`.
-- @function gd
-- @param target a model or a list of tensors; left out: a recipe
-- @param options `lr` (0.01) and those of every rule
-- @return an optimiser, or a recipe
-- @usage local opt = lariat.optim.gd(net, { lr = 0.01 })
optim.gd = constructor("gd")

--- Stochastic gradient descent. With momentum, `b <- momentum b + (1 - dampening) g` (the first
-- g enters whole) and `w <- w - lr b`, or `- lr (g + momentum b)` with nesterov. The proximal
-- step is as long as what momentum adds up to, so that the optimiser rests at the minimum of
-- loss plus penalty.
-- @function sgd
-- @param target a model or a list of tensors; left out: a recipe
-- @param options `lr` (0.01), `momentum` (0), `dampening` (0), `nesterov` (false) and those of
-- every rule
-- @return an optimiser, or a recipe
-- @source Robbins & Monro 1951; Polyak 1964; Sutskever et al. 2013, ICML
-- @usage local recipe = lariat.optim.sgd { lr = 0.1, momentum = 0.9, nesterov = true }
optim.sgd = constructor("sgd")

--- Adagrad: steps lr / (sqrt(sum of squares) + eps).
-- @function adagrad
-- @param target a model or a list of tensors; left out: a recipe
-- @param options `lr` (0.01), `eps` (1e-10) and those of every rule
-- @return an optimiser, or a recipe
-- @source Duchi, Hazan & Singer 2011, JMLR 12
-- @usage local recipe = lariat.optim.adagrad { lr = 0.1 }
optim.adagrad = constructor("adagrad")

--- RMSprop: steps lr / (sqrt(mean square) + eps).
-- @function rmsprop
-- @param target a model or a list of tensors; left out: a recipe
-- @param options `lr` (0.01), `alpha` (0.99), `eps` (1e-8), `centered` (false), `momentum` (0)
-- and those of every rule
-- @return an optimiser, or a recipe
-- @source Tieleman & Hinton 2012
-- @usage local recipe = lariat.optim.rmsprop { lr = 0.001, centered = true }
optim.rmsprop = constructor("rmsprop")

--- Adam.
-- @function adam
-- @param target a model or a list of tensors; left out: a recipe
-- @param options `lr` (0.001), `betas` ({0.9, 0.999}; or `beta1`, `beta2`), `eps` (1e-8),
-- `amsgrad` (true: the rule amsgrad) and those of every rule
-- @return an optimiser, or a recipe
-- @source Kingma & Ba 2015, ICLR
-- @usage local recipe = lariat.optim.adam { lr = 1e-3, betas = { 0.9, 0.99 } }
optim.adam = constructor("adam")

--- Adam with decoupled weight decay: weights first shrink by `lr weight_decay`. Biases and
-- gains do not decay (PyTorch's do), unless a group that covers them names weight_decay itself.
-- The decay is no part of the objective; `penalty = P.l2(...)` is.
-- @function adamw
-- @param target a model or a list of tensors; left out: a recipe
-- @param options as adam, and `weight_decay` (0.01)
-- @return an optimiser, or a recipe
-- @source Loshchilov & Hutter 2019, ICLR
-- @usage local recipe = lariat.optim.adamw { lr = 1e-3, weight_decay = 0.1 }
optim.adamw = constructor("adamw")

--- Adam whose steps never grow again.
-- @function amsgrad
-- @param target a model or a list of tensors; left out: a recipe
-- @param options as adam
-- @return an optimiser, or a recipe
-- @source Reddi, Kale & Kumar 2018, ICLR
-- @usage local recipe = lariat.optim.amsgrad { lr = 1e-3 }
optim.amsgrad = constructor("amsgrad")

--- Lion: steps of one length, the sign of a momentum; weights decay as with adamw.
-- @function lion
-- @param target a model or a list of tensors; left out: a recipe
-- @param options `lr` (1e-4), `betas` ({0.9, 0.99}), `weight_decay` (0) and those of every rule
-- @return an optimiser, or a recipe
-- @source Chen et al. 2023, NeurIPS
-- @usage local recipe = lariat.optim.lion { lr = 1e-4, weight_decay = 0.1 }
optim.lion = constructor("lion")

--- LAMB: the step of adamw made lr times as long as the parameter is, for large batches. Its
-- steps do not become shorter by themselves: let lr fall.
-- @function lamb
-- @param target a model or a list of tensors; left out: a recipe
-- @param options as adamw, with `eps` (1e-6)
-- @return an optimiser, or a recipe
-- @source You et al. 2020, ICLR
-- @usage local recipe = lariat.optim.lamb { lr = 0.01, weight_decay = 0.1 }
optim.lamb = constructor("lamb")

--- FTRL-proximal: each point minimises the sum of all gradients so far, `t` times the penalty,
-- and proximity to all former points, so that zeros come early and stay; made for streams.
-- Steps are lr / (beta + sqrt(sum of squares)); keep lr constant. What its paper calls lambda_1
-- and lambda_2 is t times the strength of an l1 and an l2 here. Penalties whose prox knows no
-- metric are refused at the first step.
-- @function ftrl
-- @param target a model or a list of tensors; left out: a recipe
-- @param options `lr` (0.1), `beta` (1) and those of every rule
-- @return an optimiser, or a recipe
-- @source McMahan et al. 2013, KDD
-- @usage local recipe = lariat.optim.ftrl { lr = 0.1, penalty = lariat.penalty.l1(1e-3) }
optim.ftrl = constructor("ftrl")

--- L-BFGS, for smooth objectives on whole data: quasi-Newton steps from the last `history`
-- gradients, with a line search for the strong conditions of Wolfe. A penalty that acts by prox
-- is refused.
--
-- Of this and the other rules for whole data (`owlqn`, `fista`, `svrg`, `newton_cg`): they take
-- no options but `lr`, `penalty` and their own. In `fit` an epoch is one iteration over all
-- rows, of which `batch_size` are looked at at a time, without a difference to the result
-- (`svrg` steps after each batch); `epochs` is 200 unless given. The run ends as "converged"
-- when the norm of the generalised gradient (its 2-norm; with a prox, that of the gradient
-- mapping) is at most `tol`, or, near that, when rounding lets no step lower the objective;
-- `opt.grad_norm`, `opt.converged` and `opt.stalled` say so too. Losses and penalties in the
-- history are those after the iteration. By hand a step takes the loss as a function:
-- `opt:step(function() return loss(net(x), y) end)`, which returns it recorded, without
-- `backward()`; `opt:step(fn, state, n)` calls `fn(k)` for each of n batches, and a second
-- result is the weight of the batch. What is drawn at random in a forward pass (dropout) makes
-- another function of it at every look: leave it out.
-- @function lbfgs
-- @param target a model or a list of tensors; left out: a recipe
-- @param options `lr` (1; of the first try of a line search), `history` (10), `tol` (1e-6),
-- `penalty`
-- @return an optimiser, or a recipe
-- @source Liu & Nocedal 1989, Math. Program. 45
-- @usage local recipe = lariat.optim.lbfgs { history = 20, penalty = lariat.penalty.l2(1e-3) }
optim.lbfgs = constructor("lbfgs")

--- OWL-QN, L-BFGS for objectives with absolute values: takes `l1` and `elastic_net`, with
-- weights or not, beside smooth penalties. Steps stay in one orthant, so that zeros are exact.
-- See `lbfgs`.
-- @function owlqn
-- @param target a model or a list of tensors; left out: a recipe
-- @param options as lbfgs
-- @return an optimiser, or a recipe
-- @source Andrew & Gao 2007, ICML
-- @usage local recipe = lariat.optim.owlqn { penalty = lariat.penalty.l1(1e-3) }
optim.owlqn = constructor("owlqn")

--- FISTA: accelerated proximal gradient steps for any penalty that has a prox; their length by
-- backtracking, with a restart when the momentum leads uphill. Exact for convex objectives. See
-- `lbfgs`.
-- @function fista
-- @param target a model or a list of tensors; left out: a recipe
-- @param options `lr` (1; the first step tried), `tol` (1e-6), `penalty`
-- @return an optimiser, or a recipe
-- @source Beck & Teboulle 2009, SIAM J. Imaging Sci. 2(1); O'Donoghue & Candes 2015
-- @usage local recipe = lariat.optim.fista { penalty = lariat.penalty.nuclear(0.1) }
optim.fista = constructor("fista")

--- SVRG: proximal steps on batches, whose noise the gradient of the whole data, looked at once
-- an epoch, takes away; so a constant lr comes to the minimum. Any penalty that has a prox. See
-- `lbfgs`.
-- @function svrg
-- @param target a model or a list of tensors; left out: a recipe
-- @param options `lr` (0.1), `tol` (1e-6), `penalty`
-- @return an optimiser, or a recipe
-- @source Johnson & Zhang 2013, NIPS; Xiao & Zhang 2014, SIAM J. Optim. 24(4)
-- @usage local recipe = lariat.optim.svrg { lr = 0.05, penalty = lariat.penalty.l1(1e-3) }
optim.svrg = constructor("svrg")

--- Newton's method for smooth objectives: directions by conjugate gradients on products with
-- the Hessian (`rounds` of them at most), steps by line search. See `lbfgs`.
-- @function newton_cg
-- @param target a model or a list of tensors; left out: a recipe
-- @param options `lr` (1), `rounds` (50), `tol` (1e-6), `penalty`
-- @return an optimiser, or a recipe
-- @source Dembo & Steihaug 1983, Math. Program. 26; Nocedal & Wright 2006
-- @usage local recipe = lariat.optim.newton_cg { penalty = lariat.penalty.l2(1e-3) }
optim.newton_cg = constructor("newton_cg")

for _, rule in ipairs(core.optim.rules()) do
  optim[rule.name] = optim[rule.name] or constructor(rule.name)
end

--- An optimiser for a model: a bound one as it is, a recipe or the name of a rule bound.
-- @param optimizer an optimiser, a recipe, or a name such as `"adam"`
-- @param target a model or a list of tensors
-- @param penalty takes the place of the optimiser's own; nil: leaves it
-- @return an optimiser
-- @usage local opt = lariat.optim.bind("adam", net, lariat.penalty.l2(1e-4))
-- @function bind
optim.bind = core.optim.bind

--- Is it an optimiser or a recipe?
-- @param x anything
-- @return boolean
-- @usage assert(lariat.optim.is(lariat.optim.adam()))
optim.is = core.optim.is

--- The rules there are.
-- @return a list of `{name, doc, source, lr, state, params, whole}`; whole: for whole data
-- @usage for _, r in ipairs(lariat.optim.rules()) do print(r.name, r.doc) end
optim.rules = core.optim.rules

return optim
