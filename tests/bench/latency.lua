-- How long answers take, and that each was the one that is wanted.
function init(args) wanted = tonumber(args[1]) end
function response(status) if status ~= wanted then wrong = (wrong or 0) + 1 end end
local threads = {}
function setup(thread) table.insert(threads, thread) end
function done(summary, latency, requests)
  local strange = 0
  for _, thread in ipairs(threads) do strange = strange + (thread:get("wrong") or 0) end
  local function ms(percent) return latency:percentile(percent) / 1000 end
  io.write(string.format('RESULT {"requests": %d, "seconds": %f, "wrong": %d, "p50": %f, "p95": %f, "p99": %f}\n',
    summary.requests, summary.duration / 1e6, strange, ms(50), ms(95), ms(99)))
end
