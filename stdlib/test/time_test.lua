local rh = require "replhost"
local time = rh.time
local check = ...

local function text(value) return tostring(value) end

return {
  ["reads PostgreSQL's forms"] = function()
    check.equal(time.parse("2024-02-29").kind, "date")
    check.equal(time.parse("2024-02-29 01:02:03.5").kind, "timestamp")
    check.equal(time.parse("2024-02-29 01:02:03.5+02").kind, "timestamptz")
    check.equal(time.parse("1 day 02:00:00").kind, "interval")
    check.equal(time.parse("04:05:06").kind, "time")
    check.equal(time.parse("04:05:06", "interval").kind, "interval")
    check.equal(time.parse("infinity", "date").infinite, true)
    check.raises('time.parse: "x" is not a date', time.parse, "x")
    check.raises('time.parse: unknown kind "year"', time.parse, "2024-01-01", "year")
    check.raises('is a date, expected interval', time.parse, "2024-01-01", "interval")
  end,
  ["has fields"] = function()
    local at = time.parse("2024-08-15 13:04:05.678901+02")
    check.equal({ at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond },
      { 2024, 8, 15, 13, 4, 5, 678901 })
    check.equal({ at.weekday, at.yearday, at.offset }, { 4, 228, 7200 })
    check.equal(at.epoch_microseconds, 1723719845678901)
    check.equal(at.epoch, 1723719845.678901)
    local span = time.parse("1 year 2 mons 3 days 04:05:06.5")
    check.equal({ span.years, span.months, span.days, span.hours, span.minutes, span.seconds }, { 1, 2, 3, 4, 5, 6 })
    check.raises('a date has no field "hour"', function() return time.parse("2024-01-01").hour end)
  end,
  ["computes"] = function()
    local day = time.parse("2024-01-31")
    check.equal(text(day + time.interval("1 mon")), "2024-02-29")
    check.equal(text(time.interval { days = 1 } + day), "2024-02-01")
    check.equal(text(day + 1), "2024-02-01")
    check.equal(text(day - 31), "2023-12-31")
    check.equal(day - time.parse("2023-12-31"), 31)
    check.equal(text(time.parse("2024-01-02 00:00:00") - time.parse("2024-01-01 12:00:00")), "12:00:00")
    check.equal(text(time.interval("1 day") * 1.5), "1 day 12:00:00")
    check.equal(text(2 * time.interval("1 mon")), "2 mons")
    check.equal(text(-time.interval("1 day")), "-1 days")
    check.raises("cannot add date and date", function() return day + day end)
    check.raises("cannot add interval and an integer", function() return time.interval("1 day") + 1 end)
  end,
  ["compares"] = function()
    check.equal(time.parse("2024-01-01") < time.parse("2024-01-02"), true)
    check.equal(time.parse("2024-01-01 00:00:00+02") == time.parse("2023-12-31 22:00:00Z"), true)
    check.equal(time.parse("2024-01-01") == time.interval("1 day"), false)
    local day, span = time.parse("2024-01-01"), time.interval("1 day")
    check.raises("cannot compare date and interval", function() return day < span end)
  end,
  ["formats and truncates"] = function()
    local at = time.parse("2024-08-15 13:04:05.5+02")
    check.equal(at:format("%d.%m.%Y %H:%M"), "15.08.2024 13:04")
    check.equal(text(at:trunc("hour")), "2024-08-15 13:00:00+02")
    check.equal(text(at:at("Z")), "2024-08-15 11:04:05.5+00")
    check.equal(text(at:date()), "2024-08-15")
    check.equal(time.interval("1 day 01:00"):total_seconds(), 90000.0)
    check.equal("at " .. at:date(), "at 2024-08-15")
    check.raises('time:trunc: unknown unit "century"', at.trunc, at, "century")
    check.raises('time:format: unknown conversion "%%Q"', at.format, at, "%Q")
  end,
  ["builds values from fields"] = function()
    check.equal(text(time.date { year = 2024, month = 2, day = 29 }), "2024-02-29")
    check.equal(text(time.date { year = -43, month = 3, day = 15 }), "0044-03-15 BC")
    check.equal(text(time.timestamp { year = 2024, hour = 5, microsecond = 7 }), "2024-01-01 05:00:00.000007")
    check.equal(text(time.timestamp { year = 2024, offset = "+02:00" }), "2024-01-01 00:00:00+02")
    check.equal(text(time.interval { years = 1, hours = 2, seconds = 1.5 }), "1 year 02:00:01.5")
    check.equal(text(time.interval {}), "00:00:00")
    check.raises('time.date: field "year" is missing', time.date, {})
    check.raises('no day of the calendar', time.date, { year = 2023, month = 2, day = 29 })
    check.raises('time.interval: unknown field "day"', time.interval, { day = 1 })
    check.raises("time.date: fields must be a table, got nil", time.date)
  end,
  ["knows now"] = function()
    local now = time.now()
    check.equal(now.kind, "timestamptz")
    check.equal(math.abs(now.epoch - os.time()) < 5, true)
  end,
}
