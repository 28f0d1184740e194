-- One hold a request: every viewer holds at most three times, every key is fresh. Requests are made beforehand: the
-- load must not cost what is measured. Each viewer has an address of their own, which the proxy tells.
local tokens, made, n = {}, {}, 0
function init(args)
  for line in io.lines(args[1]) do tokens[#tokens + 1] = line end
  show, variant, run = args[2], args[3], args[4]
  for i = 1, #tokens do made[i] = make(i) end
end
function make(i)
  local token = tokens[i % #tokens + 1]
  local body = string.format('{"show":"%s","variant_id":"%s","key":"%s-%d"}', show, variant, run, i)
  local who = i % #tokens
  local address = string.format("8.%d.%d.%d", math.floor(who / 65536), math.floor(who / 256) % 256, who % 256)
  return wrk.format("POST", "/api/v1/public/holds", {
    ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json",
    ["X-Forwarded-For"] = address}, body)
end
function request()
  n = n + 1
  return made[n] or make(n)
end
function done(summary, latency, requests)
  io.write(string.format('RESULT {"requests": %d, "seconds": %f, "errors": %d, "p50": %f, "p99": %f}\n',
    summary.requests, summary.duration / 1e6,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
      + summary.errors.timeout, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
