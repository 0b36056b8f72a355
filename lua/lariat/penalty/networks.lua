--- Penalties of networks: weights, activations, derivatives; see @{lariat.penalty}.
-- @submodule lariat.penalty

local constructor = require "lariat.core".penalty.constructor

local P = {}

--- Weights pulled towards orthonormal rows (or columns, whichever are fewer),
-- `lambda/2 |W^T W - I|_F^2` with the smaller Gram matrix. A kernel is the matrix (out,
-- everything else), a vector one row. Smooth, not convex; it has no prox.
-- @function orthogonal
-- @param options lambda, or a table with `lambda`
-- @return a penalty
-- @source Brock, Lim, Ritchie & Weston 2017, ICLR; Bansal, Chen & Wang 2018, NeurIPS 31
-- @usage local reg = lariat.penalty.orthogonal(1e-3):on("1.weight")
P.orthogonal = constructor("orthogonal", "lambda")

--- Half the square of the largest singular value, `lambda/2 sigma_max(W)^2`, by power iteration
-- on W^T W, or by a singular value decomposition where that does not settle. It acts by its
-- gradient, `lambda sigma u v^T`: the derivative where the value is simple, else one of the
-- subgradients. It has no prox.
-- @function spectral
-- @param options lambda, or a table with `lambda`
-- @return a penalty
-- @source Yoshida & Miyato 2017, arXiv:1705.10941
-- @usage local reg = 0.01 * lariat.penalty.spectral()
P.spectral = constructor("spectral", "lambda")

--- Half the squared distance from given weights, `lambda/2 |w - towards|^2`: fine-tuning.
-- @function l2_sp
-- @param options a table with `lambda` and `towards`: a model or a table name -> tensor, of
-- which copies are kept and matched by name; or one tensor or number for every parameter in
-- the scope
-- @return a penalty; used on a parameter that has no counterpart it raises
-- @source Li, Grandvalet & Davoine 2018, ICML, eq. 2
-- @usage local reg = lariat.penalty.l2_sp { lambda = 0.1, towards = net }
P.l2_sp = constructor("l2_sp", "lambda")

--- Elastic weight consolidation, `lambda/2 sum fisher (w - towards)^2`: weights that mattered
-- for a former task stay near what they were.
-- @function ewc
-- @param options a table with `lambda`, `towards` and `fisher`, each as `towards` of `l2_sp`;
-- `fisher` as from `lariat.penalty.fisher`, not negative
-- @return a penalty
-- @source Kirkpatrick et al. 2017, PNAS 114(13), eq. 3
-- @usage local f = lariat.penalty.fisher(net, { x = x, y = y }, { loss = "mse" })
-- local reg = lariat.penalty.ewc { lambda = 10, towards = net, fisher = f }
P.ewc = constructor("ewc", "lambda")

--- Noise on weights: each forward pass in training sees `w + lambda std N(0, 1)`, drawn anew,
-- and the gradient there moves w. Its value is 0: what it adds to the expected loss is not
-- known in closed form. Evaluation sees the weights themselves.
-- @function weight_noise
-- @param options std, or a table with `std (0.1)`, `lambda (1)`: what schedules move
-- @return a penalty
-- @source Murray & Edwards 1994, IEEE Trans. Neural Networks 5(5); Graves 2011, NIPS 24
-- @usage local reg = lariat.penalty.weight_noise(0.05)
P.weight_noise = constructor("weight_noise", "std")

--- Absolute values of activations, `lambda mean_i |a_i|_1`, a mean over samples, a sum over
-- units and layers. This and the penalties after it are of the forward pass: `fit` adds them
-- to the loss, by hand `penalty:forward` gives them. The scope is of layers, not of
-- parameters: `"activation"` (the default: outputs of relu, sigmoid, tanh, ... layers), a kind
-- of layer (`"linear"`), a name or glob (`"2"`, `"encoder.*"`; a wildcard leaves out
-- containers), or `function(name, output) -> boolean`.
-- @function activation_l1
-- @param options lambda, or a table with `lambda`
-- @return a penalty; where no layer matches it raises and lists them
-- @source Glorot, Bordes & Bengio 2011, AISTATS, sec. 3.2
-- @usage local reg = lariat.penalty.activation_l1(1e-3):on("2")
P.activation_l1 = constructor("activation_l1", "lambda")

--- Half the squares of activations, `lambda/2 mean_i |a_i|^2`; scopes as in `activation_l1`.
-- @function activation_l2
-- @param options lambda, or a table with `lambda`
-- @return a penalty
-- @source Merity, McCann & Socher 2017, arXiv:1708.01009
-- @usage local reg = lariat.penalty.activation_l2(1e-3):on("relu")
P.activation_l2 = constructor("activation_l2", "lambda")

--- The divergence of each unit's mean activation over the batch from rho, `lambda sum_j KL(rho
-- | mean_i a_ij)`: sparse autoencoders. The default scope are sigmoid layers; mean activations
-- outside [0, 1] raise.
-- @function kl_sparsity
-- @param options lambda, or a table with `lambda`, `rho (0.05)`
-- @return a penalty
-- @source Ng 2011, CS294A lecture notes, sec. 3; Lee, Ekanadham & Ng 2007, NIPS 20
-- @usage local reg = lariat.penalty.kl_sparsity { lambda = 3, rho = 0.05 }
P.kl_sparsity = constructor("kl_sparsity", "lambda")

--- The confidence penalty, `-lambda mean_i H(softmax(f(x_i)))`: minus the entropy of what is
-- predicted, so its value is not positive. The prediction is logits; a single one per sample is
-- that of a sigmoid.
-- @function entropy
-- @param options lambda, or a table with `lambda`
-- @return a penalty; it takes no scope
-- @source Pereyra, Tucker, Chorowski, Kaiser & Hinton 2017, arXiv:1701.06548
-- @usage local reg = lariat.penalty.entropy(0.1)
P.entropy = constructor("entropy", "lambda")

--- Derivatives of outputs by inputs, `lambda mean_i |df(x_i)/dx_i|_F^2`: exact, one backward
-- pass for each output; or, with `projections = k`, an unbiased estimate from k random
-- directions. Outputs of a sample are taken to depend on its own inputs alone (batch
-- normalisation breaks that in training).
-- @function jacobian
-- @param options lambda, or a table with `lambda`, `projections (0: exact)`
-- @return a penalty; it takes no scope, and raises for inputs that are not floats
-- @source Hoffman, Roberts & Yaida 2019, arXiv:1908.02729
-- @usage local reg = lariat.penalty.jacobian { lambda = 0.01, projections = 1 }
P.jacobian = constructor("jacobian", "lambda")

--- Derivatives of the loss by inputs, `lambda mean_i |dloss_i/dx_i|^2`, by double
-- backpropagation. The loss is taken to be a mean over samples of equal weight.
-- @function gradient
-- @param options lambda, or a table with `lambda`
-- @return a penalty; it takes no scope, and raises where there is no loss
-- @source Drucker & LeCun 1992, IEEE Trans. Neural Networks 3(6)
-- @usage local reg = lariat.penalty.gradient(0.1)
P.gradient = constructor("gradient", "lambda")

--- The diagonal of the empirical Fisher information: the mean over samples of the squares of
-- the gradients of each sample's loss, with the labels of the data, in eval mode.
-- @function fisher
-- @param net a model
-- @param data `{x=, y=}`
-- @param options a table with `loss ("cross_entropy")`, minus the log-likelihood of one sample,
-- and `samples`: of so many rows, evenly spread (all)
-- @return a table name -> tensor, for `ewc`
-- @source Kirkpatrick et al. 2017, PNAS 114(13); Martens 2020, JMLR 21, sec. 11
-- @usage local f = lariat.penalty.fisher(net, { x = x, y = y }, { loss = "mse", samples = 8 })
function P.fisher(net, data, options)
  return require "lariat.fisher"(net, data, options)
end

return P
