-- The self-test passes what is right and catches what is wrong.
local lariat = require "lariat"

local P = lariat.penalty

local function soft(v, t) return v:sign() * (v:abs() - t):clamp(0, math.huge) end
local function l1(_, w) return w:abs():sum() end
local function number(t) return type(t) == "number" and t or t:mean():item() end

-- What is wrong, the penalty, the part of the report that says so.
local wrong = {
  { "a threshold that is too low",
    { value = l1, prox = function(_, v, t) return soft(v, 0.9 * t) end },
    "prox, 1 coordinate" },
  { "a threshold that forgets the step",
    { value = l1, prox = function(_, v) return soft(v, 1) end }, "prox, 1 coordinate" },
  { "a prox that loses signs",
    { value = l1, prox = function(_, v, t) return (v:abs() - t):clamp(0, math.huge) end },
    "prox, 1 coordinate" },
  { "lambda counted twice",
    { value = l1, lambda = 3, prox = function(self, v, t) return soft(v, t * self.lambda) end },
    "prox, 1 coordinate" },
  { "the prox of the square",
    { value = l1, prox = function(_, v, t) return v / (1 + t) end }, "prox, 1 coordinate" },
  { "hard for soft thresholding",
    { value = l1, prox = function(_, v, t) return v * v:abs():gt(t):double() end },
    "prox, 1 coordinate" },
  { "a factor of a half",
    { value = function(_, w) return (w ^ 2):sum() end,
      prox = function(_, v, t) return v / (1 + t) end }, "prox, 1 coordinate" },
  { "a mean in the value, a sum in the prox",
    { value = function(_, w) return w:abs():mean() end,
      prox = function(_, v, t) return soft(v, t) end }, "prox, 7 coordinates" },
  { "a norm that is shrunk too far",
    { value = function(_, w) return w:norm() end, prox = function(_, v, t)
      return v * math.max(0, 1 - number(t) / v:norm():item()) * 0.99
    end }, "prox, 7 coordinates" },
  { "a prox that leaves its own constraint",
    { value = function(_, w) return w:abs():max():item() <= 1 and 0 * w:sum() or math.huge end,
      prox = function(_, v) return v:clamp(-1.1, 1.1) end }, "prox, 7 coordinates" },
  { "one step for all where it says that each has its own",
    { value = l1, separable = true, prox = function(_, v, t) return soft(v, number(t)) end },
    "prox, a step for each" },
  { "a prox that raises",
    { value = l1, prox = function() error "oops" end }, "prox: raises" },
  { "a value cut off from its gradient",
    { value = function(_, w) return (w:detach() * w):sum() / 2 end }, "gradient" },
  { "a value that is no tensor",
    { value = function(_, w) return w:detach():abs():sum():item() end }, "gradient" },
  { "a value that is not the same twice",
    { value = function(_, w)
      return (w * lariat.rand(w.shape, { dtype = "float64" })):abs():sum()
    end }, "gradient" },
  { "lambda in the value",
    { value = function(self, w) return self.lambda * (w ^ 2):sum() end }, "scaling" },
  { "a value that is no number",
    { value = function(_, w) return w:log():sum() end }, "value" },
}

describe("penalty.check catches", function()
  for _, case in ipairs(wrong) do
    it(case[1], function()
      local ok, report = P.check(P.new(case[2]), { quiet = true })
      local text = table.concat(report, "\n")
      assert.is_false(ok, text)
      assert.is_truthy(text:find("WRONG " .. case[3], 1, true), text)
    end)
  end
end)

describe("penalty.check", function()
  it("passes the right ones of these, and prints what it tried", function()
    local lines, print_ = {}, print
    _G.print = function(line) lines[#lines + 1] = line end
    local done, ok, report = pcall(P.check, P.new {
      value = l1, separable = true, prox = function(_, v, t) return soft(v, t) end,
    })
    _G.print = print_
    assert.is_true(done)
    assert.is_true(ok)
    assert.same(report, lines)
    assert.equal(6, #lines)
    for _, line in ipairs(lines) do assert.is_truthy(line:find "^ok    ") end
    assert.is_true((P.check(P.new {
      value = function(_, w) return w:norm() end, prox = function(_, v, t)
        return v * math.max(0, 1 - number(t) / v:norm():item())
      end,
    }, { quiet = true })))
  end)

  it("leaves the program's random numbers alone", function()
    lariat.seed(4)
    local a = lariat.randn(3)
    lariat.seed(4)
    P.check(P.l1(), { quiet = true, seed = 9 })
    assert.is_true(lariat.randn(3):eq(a):all():item())
  end)

  it("is of penalties of a tensor", function()
    local ok, why = pcall(function() local _ = P.check(3) end)
    assert.is_false(ok)
    assert.is_truthy(why:find("check_spec.lua:%d+: penalty.check: expects a penalty"), why)
    ok, why = pcall(function() local _ = P.check(P.entropy()) end)
    assert.is_false(ok)
    assert.is_truthy(why:find("check_spec.lua:%d+: penalty.check: penalty entropy is of"), why)
  end)

  it("says what makes a sum unfit", function()
    local ok, report = P.check(P.mcp() + P.tv1d(), { quiet = true })
    assert.is_false(ok)
    assert.is_truthy(report[1]:find("no prox of mcp + tv1d", 1, true))
  end)
end)
