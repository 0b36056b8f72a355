-- Starting and stopping: `lariat -e ""` against `lua5.4 -e ""`. Wanted: a ratio of at most 4.

local peer = require "spec.support.peer"

local RUNS, ROUNDS = 200, 5

local function seconds(program)
  local start = peer.clock()
  local loop = 'i=0; while [ $i -lt %d ]; do %s -e "" || exit 1; i=$((i+1)); done'
  if not os.execute(loop:format(RUNS, peer.quoted(program))) then return nil end
  return (peer.clock() - start) / RUNS
end

local ours, theirs = math.huge, nil
for _ = 1, ROUNDS do
  ours = math.min(ours, seconds(peer.program()) or math.huge)
  if os.execute("command -v lua5.4 >/dev/null") then
    theirs = math.min(theirs or math.huge, seconds("lua5.4"))
  end
end
if not theirs then print("There is no lua5.4 to compare with: that column is empty.") end
peer.report(("Start and stop, best of %d times %d runs."):format(ROUNDS, RUNS), "lua5.4",
  { { '-e ""', ours < math.huge and ours or nil, theirs } })
