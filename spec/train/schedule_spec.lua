-- Schedules against their closed forms.
local lariat = require "lariat"
local S = lariat.schedule

describe("schedule", function()
  it("step multiplies every so many epochs", function()
    local s = S.step { every = 10, gamma = 0.1 }
    assert.near(1, s({ step = 5, epoch = 10 }, 1), 1e-15)
    assert.near(0.1, s({ step = 5, epoch = 11 }, 1), 1e-15)
    assert.near(0.02, s({ step = 5, epoch = 21 }, 2), 1e-15)
  end)

  it("exponential decays by each step, or in stairs", function()
    assert.near(0.9 ^ 4, S.exponential { gamma = 0.9 }:at(5), 1e-15)
    assert.near(0.25, S.exponential { gamma = 0.5, every = 10, stairs = true }:at(25), 1e-15)
  end)

  it("cosine goes from the base to min", function()
    local s = S.cosine { min = 0.1 }
    assert.near(1, s:at(1, 1, 101), 1e-15)
    assert.near(0.55, s:at(51, 1, 101), 1e-12)
    assert.near(0.1, s:at(101, 1, 101), 1e-12)
  end)

  it("linear is a line between factors", function()
    assert.near(0.5, S.linear { to = 0 }:at(51, 1, 101), 1e-12)
    assert.near(0.2, S.linear { from = 1, to = 0.1 }:at(101, 2, 101), 1e-12)
  end)

  it("warms up first", function()
    local s = S.cosine { warmup = 9 }
    assert.near(0.1, s:at(1, 1, 109), 1e-12)
    assert.near(0.9, s:at(9, 1, 109), 1e-12)
    assert.near(1, s:at(10, 1, 109), 1e-12)
    assert.near(0.5, S.warmup { steps = 9 }:at(5, 1), 1e-12)
  end)

  it("one_cycle rises to the base and falls far below where it began", function()
    local s = S.one_cycle { pct_start = 0.5, div_factor = 10, final_div_factor = 100 }
    assert.near(0.1, s:at(1, 1, 101), 1e-12)
    assert.near(1, s:at(51, 1, 101), 1e-12)
    assert.near(0.001, s:at(101, 1, 101), 1e-12)
  end)

  it("plateau waits, then cuts", function()
    local s = S.plateau { patience = 1, factor = 0.5, monitor = "loss" }
    local history = {}
    local function after(loss)
      history[#history + 1] = { loss = loss }
      return s({ step = #history + 1, epoch = #history + 1, history = history }, 1)
    end
    assert.near(1, s({ step = 1, epoch = 1, history = history }, 1), 0)
    assert.near(1, after(3), 0)
    assert.near(1, after(3), 0)
    assert.near(0.5, after(3), 0)
    assert.near(0.5, after(1), 0)
  end)

  it("prints itself and refuses unknown keys", function()
    assert.equal("schedule.cosine { warmup = 500 }", tostring(S.cosine { warmup = 500 }))
    local ok, why = pcall(S.cosine, { warm_up = 3 })
    assert.is_false(ok)
    assert.matches("did you mean 'warmup'", why)
  end)
end)
