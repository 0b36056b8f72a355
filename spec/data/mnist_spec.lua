-- MNIST from a folder: small files of its format, and what is said where there are none.
local lariat = require "lariat"
local shell = require "spec.support.shell"

local folder

-- An IDX file of bytes (type 8) of those sizes.
local function idx(name, sizes, bytes)
  local head = string.pack(">I2BB", 0, 8, #sizes)
  for _, n in ipairs(sizes) do head = head .. string.pack(">I4", n) end
  shell.write(folder .. "/" .. name, head .. bytes)
end

local function pictures(n)
  local out = {}
  for k = 1, n * 4 do out[k] = string.char(k * 17 % 256) end
  return table.concat(out)
end

describe("data.mnist", function()
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir " .. shell.quote(folder))
    idx("train-images-idx3-ubyte", { 3, 2, 2 }, pictures(3))
    idx("train-labels.idx1-ubyte", { 3 }, "\5\0\9")
    idx("t10k-images-idx3-ubyte", { 1, 2, 2 }, pictures(1))
    idx("t10k-labels-idx1-ubyte", { 1 }, "\7")
  end)
  after_each(function() os.execute("rm -r " .. shell.quote(folder)) end)

  it("reads pictures as rows or images of 0..1, and classes from 1", function()
    local train, test = assert(lariat.data.mnist { path = folder })
    assert.same({ 3, 4 }, train.x.shape)
    assert.same({ 6, 1, 10 }, train.y:totable())
    assert.is_true(math.abs(train.x:at(2, 1) - 85 / 255) < 1e-6)
    assert.same({ 1, 4 }, test.x.shape)
    assert.equal("9", train.classes[train.y[3]])
    local images = lariat.data.mnist { path = folder, images = true, dtype = "float64" }
    assert.same({ 3, 1, 2, 2 }, images.x.shape)
    assert.equal("float64", images.x.dtype)
    assert.equal(85 / 255, images.x[2]:min():item())
  end)

  it("reads gzipped files", function()
    os.execute("gzip " .. shell.quote(folder) .. "/*images*")
    assert.same({ 3, 4 }, assert(lariat.data.mnist { path = folder }).x.shape)
  end)

  it("finds the folder in the environment", function()
    local script = "print(lariat.data.mnist().x.shape[1])"
    local run = ("LARIAT_DATA=%s %s -l lariat -e %s"):format(shell.quote(folder), shell.lariat,
      shell.quote(script))
    assert.equal("3\n", (shell.run(run)))
  end)

  it("says what is missing, and what to do", function()
    local nothing, why = lariat.data.mnist { path = folder .. "/none" }
    assert.is_nil(nothing)
    local sentence = "there is no train-images-idx3-ubyte, plain or .gz, in '" .. folder
    assert.is_truthy(why:find(sentence, 1, true))
    assert.is_truthy(why:find "environment variable LARIAT_DATA")
    os.remove(folder .. "/t10k-labels-idx1-ubyte")
    assert.is_truthy(select(2, lariat.data.mnist { path = folder }):find "no t10k%-labels")
  end)

  it("refuses files that do not belong together", function()
    idx("train-labels.idx1-ubyte", { 2 }, "\5\0")
    local _, why = lariat.data.mnist { path = folder }
    assert.equal("data.mnist: there are 3 pictures and 2 labels of 'train'", why)
    idx("train-images-idx3-ubyte", { 3, 4 }, pictures(3))
    _, why = lariat.data.mnist { path = folder }
    assert.is_truthy(why:find "holds 2 dimensions, not 3")
    shell.write(folder .. "/train-images-idx3-ubyte", "no IDX")
    assert.is_nil((lariat.data.mnist { path = folder }))
    assert.has_error(function() lariat.data.mnist { path = 3 } end,
      "data.mnist: path is the name of a folder, not a number")
    assert.has_error(function() lariat.data.mnist { pth = folder } end)
  end)
end)
