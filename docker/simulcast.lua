-- Coalescing for nginx-coalesce.conf: whoever waits for the same part or playlist is woken the moment it is there.
-- All state is a worker's own, so the origin sees at most one request for each thing from each nginx worker.

local semaphore = require "ngx.semaphore"

local PATIENCE = 35      -- seconds; longer than the origin lets anybody wait
local REMEMBERED = 1     -- seconds for which a filled key is known to be in the cache; all live answers keep that long
local TURNS = 3          -- how often somebody else's refusal is not believed
local SOCKET = "unix:/run/simulcast-fill.sock"

local fetches = {}       -- by key, while under way: {gate, waiting, status}
local filled, before, turned = {}, {}, 0

local function known(key)
    local now = ngx.now()
    if now - turned > REMEMBERED then
        filled, before, turned = {}, filled, now
    end
    local at = filled[key] or before[key]
    return at and now - at < REMEMBERED
end

-- One request through the cache. It has no viewer, so nobody's slow line or closed window holds up the others.
local function ask(target, fields)
    local socket = ngx.socket.tcp()
    socket:settimeouts(5000, 5000, PATIENCE * 1000)
    if not socket:connect(SOCKET) then return 503 end
    socket:send("GET " .. target .. " HTTP/1.0\r\nHost: fill\r\n" .. fields .. "\r\n")
    local line = socket:receive("*l")
    local status = tonumber(line and line:match("^HTTP/1%.%d (%d%d%d)"))
    repeat
        local data = socket:receiveany(65536)
    until not data
    socket:close()
    return status or 503
end

local function fetch(_, key, target, fields, found)
    local ran, status = pcall(ask, target, fields)
    found.status = ran and status or 503
    if found.status == 200 then filled[key] = ngx.now() end
    fetches[key] = nil
    found.gate:post(found.waiting)
end

-- What the origin's door wants to know of the viewer who asks for all.
local function fields_of()
    local pass = ngx.var.http_authorization
    return "X-Forwarded-For: " .. ngx.var.coalesce_for .. "\r\n"
        .. (pass and "Authorization: " .. pass .. "\r\n" or "")
end

local function wait()
    local key = ngx.var.coalesce_key
    if not key or key == "" then return end
    for _ = 1, TURNS do
        if known(key) then return end
        local found, first = fetches[key], false
        if not found then
            found, first = {gate = semaphore.new(), waiting = 0}, true
            fetches[key] = found
            if not ngx.timer.at(0, fetch, key, ngx.var.coalesce, fields_of(), found) then
                fetches[key] = nil
                return  -- too much at once: the cache's own lock does it, more slowly
            end
        end
        found.waiting = found.waiting + 1
        local status = found.gate:wait(PATIENCE) and found.status or 503
        if status == 200 then return end
        -- The pass of the one who asked may just have run out; that says nothing about the others.
        if first or (status ~= 401 and status ~= 403) then
            ngx.var.door_said = tostring(status)
            return ngx.exit(status)
        end
    end
end

return {wait = wait}
