--- One task waits for notifications while another sends them: a queue that wakes its worker instead of being polled.
local rh = require "replhost"

local pool = rh.pool { dsn = rh.env("DATABASE_URL", "sandbox:demo-source") }

local listening = rh.channel(1)

local listener = rh.spawn(function()
  local conn <close> = pool:getconn()
  conn:listen("jobs")
  listening:send(true)
  -- Ends when nothing has come for 5 seconds, or here, when the last job is done.
  for notification in conn:notifications("5s") do
    if notification.payload == "done" then return "all jobs done" end
    local job = rh.json.decode(notification.payload)
    print(("job %d for %s (from server process %d)"):format(job.id, job.name, notification.pid))
  end
  error("no job for 5 seconds")
end)

listening:receive() -- what is sent before LISTEN is lost

pool:with(function(conn)
  for id, name in ipairs { "Ann", "Björn", "O'Neil" } do
    conn:notify("jobs", rh.json.encode { id = id, name = name })
    rh.sleep("50ms")
  end
  -- Notifications of a transaction arrive when it commits, and never if it does not.
  pcall(conn.transaction, conn, function()
    conn:notify("jobs", rh.json.encode { id = 4, name = "nobody" })
    error("changed our mind")
  end)
  conn:notify("jobs", "done")
end)

print(listener:wait())
