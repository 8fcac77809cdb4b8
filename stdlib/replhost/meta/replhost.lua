---@meta replhost
-- Definitions for the Lua language server of what `require "replhost"` returns. Never executed.
-- luacheck: ignore

--- A span of time: seconds as a number, or text with a unit: `"250ms"`, `"30s"`, `"5m"`, `"2h"`, `"1d"`.
---@alias Duration number|string

--- A value as PostgreSQL's types appear in Lua:
---
--- | PostgreSQL | Lua |
--- | --- | --- |
--- | NULL | nil (inside arrays `rh.null`) |
--- | boolean | boolean |
--- | int2, int4, int8, oid | integer, exact |
--- | float4, float8 | float; NaN and infinities kept |
--- | numeric | Decimal |
--- | bytea | string of the raw bytes |
--- | date, time, timestamp, timestamptz | string in ISO form, microseconds kept; see `rh.time.parse` |
--- | json, jsonb | string; see `rh.json.decode` |
--- | arrays | table with `n`; NULL elements are `rh.null` |
--- | any other | string: PostgreSQL's text form |
---
--- Assigned, a column also takes its text form, a Time for its kind, and a table for json and arrays.
---@alias PgValue nil|boolean|integer|number|string|Decimal|Time|Null|table

---@class Null: lightuserdata
--- JSON's null, and NULL where nil cannot stand. `tostring` gives "null". Truthy, as every value but nil and false.

---@class replhost
---@field null Null
---@field json replhost.json
---@field time replhost.time
---@field uuid replhost.uuid
---@field hash replhost.hash
---@field base64 replhost.base64
---@field hex replhost.hex
---@field csv replhost.csv
---@field mask replhost.mask
---@field log replhost.log
---@field quote replhost.quote
---@field test replhost.test
local rh = {}

--------------------------------------------------------------------------------------------------
-- Errors
--------------------------------------------------------------------------------------------------

---@class HostError
--- What the host raises. `tostring` gives "file:line: message".
---@field code string stable name of the kind of error, as "RH2104"
---@field message string one line, without the place
---@field hint string? what helps

---@class PgError: HostError
--- An error of a server. `tostring` gives psql's form with the `LINE n:` caret.
---@field sqlstate string five characters
---@field severity string? "ERROR", "FATAL" or "PANIC"; nil when the connection was lost
---@field detail string?
---@field hint string?
---@field position integer? character of the query text, from 1
---@field constraint string?
---@field schema string?
---@field table string?
---@field column string?
---@field query string? the statement sent
---@field retryable boolean the same transaction may succeed when run again: 40001, 40P01, and lost connections (on a new one)

--------------------------------------------------------------------------------------------------
-- Connections
--------------------------------------------------------------------------------------------------

---@class PoolOptions
---@field dsn string|(fun(): string)|nil URL, conninfo, `sandbox:NAME`, or a function returning one
---@field host string?
---@field port integer|string|nil
---@field database string?
---@field user string?
---@field password string? never shown in a message
---@field sslmode string?
---@field sslrootcert string?
---@field application_name string?
---@field min integer? connections kept open once the pool was used (default 0)
---@field minconn integer? the same as `min`
---@field max integer? most connections at any time (default 10)
---@field maxconn integer? the same as `max`
---@field timeout Duration? how long `getconn` waits; 0 tries at once (default "30s")
---@field max_waiting integer? most borrowers waiting at once (default 10000)
---@field check_idle Duration? idle for longer: pinged before it is given out (default "30s")
---@field max_lifetime Duration? age at which a connection is replaced; 0 = never (default "30m")
---@field idle_timeout Duration? idle ones above `min` are closed after this; 0 = never (default "10m")
---@field leak_after Duration? held for longer: reported once with the line that took it; 0 = never (default "60s")
---@field fail_fast_after Duration? nothing alive and connects failing for this long: fail at once (default "5s")
---@field connect_timeout Duration? (default "10s")
---@field reset_timeout Duration? deadline of cleaning up a returned connection (default "5s")
---@field reset string? how much of a session is undone before the next borrower gets it

--- A pool of connections. Nothing is opened before the first use. The same options give the same
--- pool in several workers. An unknown option is an error with "did you mean".
---@param options PoolOptions
---@return Pool
function rh.pool(options) end

---@class Pool
local Pool = {}

--- Borrows a connection, first come, first served. Raises when none comes free within `timeout`, with
--- who holds them. Use `local conn <close> = pool:getconn()`, `pool:with`, or `pool:putconn`.
---@param timeout Duration? default: the pool's
---@return Connection
function Pool:getconn(timeout) end

--- Gives a connection back. An open transaction is rolled back. A second return, or a connection of
--- another pool, is an error.
---@param conn Connection
---@param options {discard: boolean?}? `discard = true` closes it
---@return true
function Pool:putconn(conn, options) end

--- Calls `fn(conn)` with a borrowed connection, which goes back whatever happens.
---@generic T
---@param fn fun(conn: Connection): T...
---@return T...
function Pool:with(fn) end

--- Borrows, queries and returns in one step.
---@param sql string
---@param ... PgValue parameters `$1`, …
---@return Result
function Pool:query(sql, ...) end

---@class PoolStats
---@field max integer
---@field min integer
---@field idle integer
---@field in_use integer
---@field connecting integer
---@field waiting integer
---@field acquired integer connections given out so far
---@field created integer
---@field timeouts integer

---@return PoolStats
function Pool:stats() end

--- New bounds; they take effect at once, surplus connections are closed when idle or when they come back.
---@param max integer
---@param min integer?
function Pool:resize(max, min) end

--- Closes idle connections, and the others as they come back.
function Pool:drain() end

--- Wakes who waits with "pool is closed"; borrowed connections have `timeout` to come back.
---@param timeout Duration? default 10 s
---@return integer cut_off how many did not come back
function Pool:close(timeout) end

--- Borrows a connection for one transaction: `conn:transaction`.
---@generic T
---@param fn fun(conn: Connection): T...
---@return T...
---@overload fun(self: Pool, options: TransactionOptions, fn: fun(conn: Connection): ...): ...
function Pool:transaction(fn) end

---@class Column
---@field name string
---@field type string PostgreSQL's name of the type

---@class Row
--- A view over one row: `row.name`, `row[1]`. A name that is no column is an error with "did you mean". An editor
--- completes columns where it knows which table's row it is: `---@param row public.customers`, see `replhost types`.
local Row = {}

--- The same values in a row of its own.
---@return self
function Row:copy() end

--- The values by name, as a plain table; NULL is absent.
---@return table<string, PgValue>
function Row:totable() end

---@return string[]
function Row:columns() end

---@class AnyRow: Row
--- A row whose columns an editor does not know.
---@field [string] PgValue
---@field [integer] PgValue

---@class Result
--- `#result` rows; `result[i]` is a Row; `ipairs(result)` goes over them; `print(result)` draws a table.
---@field affected integer rows that the statement inserted, updated, deleted, moved or selected
---@field command string the command tag's first word, "SELECT"
---@field columns Column[]
---@field [integer] AnyRow
local Result = {}

--- The only row; raises unless there is exactly one.
---@return AnyRow
function Result:one() end

--- The first column of the first row; nil without rows.
---@return PgValue
function Result:scalar() end

---@class Statement
local Statement = {}

---@param ... PgValue
---@return Result
function Statement:query(...) end

---@class CopyWriter
--- `writer(row)` writes a Row or a table, by position or by column name. `__close` without `close`
--- aborts: nothing of the copy stays.
---@overload fun(row: Row|table)
local CopyWriter = {}

--- Ends the copy.
---@return integer rows that the server took
function CopyWriter:close() end

---@class Notification
---@field channel string
---@field payload string
---@field pid integer of the session that sent it

---@class Connection
--- One session. All calls that wait let other tasks run meanwhile. After `putconn` every use is an error.
---@field pid integer of the server process
---@field server_version integer 150004 is 15.4
---@field status string "idle", "active", "transaction", "failed", "broken" or "returned"
local Connection = {}

--- Runs a statement. Values go as `$1`, …, typed by the server's own inference; several statements
--- at once only without values. Raises a PgError.
---@param sql string
---@param ... PgValue
---@return Result
function Connection:query(sql, ...) end

--- The same, with an error as second result.
---@param sql string
---@param ... PgValue
---@return Result? result
---@return PgError? problem
function Connection:tryquery(sql, ...) end

--- Streams rows in bounded memory: `for row in conn:rows(sql) do`. Ends the query on `break`. A row
--- is valid until the next one; `row:copy()` keeps it.
---@param sql string
---@param ... PgValue
---@return fun(): AnyRow?
function Connection:rows(sql, ...) end

---@class TransactionOptions
---@field isolation "read committed"|"repeatable read"|"serializable"|nil
---@field readonly boolean?
---@field deferrable boolean?
---@field retries integer? runs of `fn` after the first for 40001 and 40P01 (default 0)

--- Calls `fn(conn)` in a transaction: commits when it returns, rolls back when it raises. Inside
--- another one it is a savepoint.
---@generic T
---@param fn fun(conn: Connection): T...
---@return T...
---@overload fun(self: Connection, options: TransactionOptions, fn: fun(conn: Connection): ...): ...
function Connection:transaction(fn) end

---@param sql string
---@return Statement
function Connection:prepare(sql) end

--- Streams what COPY … TO STDOUT gives, as rows.
---@param source string a table ("schema.table") or a query
---@return fun(): AnyRow?
function Connection:copy_out(source) end

--- Begins COPY … FROM STDIN.
---@param target string "schema.table"
---@param columns string[]?
---@return CopyWriter
function Connection:copy_in(target, columns) end

--- Calls `fn(batch)`; what it adds with `batch:query(sql, …)` goes to the server in one round trip, as one implicit
--- transaction. Raises the first error.
---@param fn fun(batch: Batch)
---@return Result[]
function Connection:pipeline(fn) end

---@class Batch
local Batch = {}

---@param sql string
---@param ... PgValue
---@return integer position of its result
function Batch:query(sql, ...) end

---@param channel string
function Connection:listen(channel) end

--- Iterates notifications; ends after `timeout` without one.
---@param timeout Duration?
---@return fun(): Notification?
function Connection:notifications(timeout) end

---@param channel string
---@param payload string?
function Connection:notify(channel, payload) end

--- Asks the server to stop what this connection runs.
function Connection:cancel() end

--- Closes the session; a pool replaces it.
function Connection:close() end

---@class replhost.quote
rh.quote = {}

--- `"my table"`: an identifier, quoted if needed.
---@param name string
---@return string
function rh.quote.ident(name) end

--- `'it''s'`: a literal.
---@param value string
---@return string
function rh.quote.literal(value) end

--------------------------------------------------------------------------------------------------
-- Concurrency
--------------------------------------------------------------------------------------------------

---@class Task
local Task = {}

--- Waits for the end: its results, or its error raised here.
---@return any ...
function Task:wait() end

--- Makes it stop at its next wait or instruction.
function Task:cancel() end

--- Starts a task. It runs when the current one waits. An error that nobody waits for ends the script.
---@param fn fun(...): ...
---@param ... any
---@return Task
function rh.spawn(fn, ...) end

--- Calls `fn` for each item, several at a time. The results keep the order; the first error cancels the rest.
---@generic T, R
---@param items T[]
---@param fn fun(item: T, index: integer): R
---@param options {concurrency: integer?}? default 8
---@return R[]
function rh.map(items, fn, options) end

--- The same over `n` cores: a function by its name, values copied.
---@param n integer
---@param name string "module.function"
---@param items any[]
---@return any[]
function rh.workers(n, name, items) end

---@param duration Duration
function rh.sleep(duration) end

--- Calls `fn` again and again, `duration` apart, until it returns false, raises or is cancelled. In a file that returns
--- pipelines the timers run as long as these run, in the state where a stream's functions run: they share its variables.
--- Other commands than `run` do not run them. An error in one ends the run.
---@param duration Duration
---@param fn fun()
---@return Task
function rh.every(duration, fn) end

--- Calls `fn` once, later; a timer as those of `rh.every`.
---@param duration Duration
---@param fn fun()
---@return Task
function rh.after(duration, fn) end

--- What `fn` returns; raises when it takes longer. Only what waits is stopped in time: Lua code that does not wait runs
--- until it does, or until the time limit.
---@generic T
---@param duration Duration
---@param fn fun(): T...
---@return T...
function rh.timeout(duration, fn) end

---@class Channel
local Channel = {}

--- Waits while the channel is full. Raises when it is closed.
---@param value any
function Channel:send(value) end

--- Waits for a value; nil once the channel is closed and empty.
---@return any
function Channel:receive() end

function Channel:close() end

--- Iterates until the channel is closed and empty.
---@return fun(): any
function Channel:each() end

--- A queue between tasks that holds `capacity` values.
---@param capacity integer
---@return Channel
function rh.channel(capacity) end

--------------------------------------------------------------------------------------------------
-- Values
--------------------------------------------------------------------------------------------------

---@class Decimal
--- An exact decimal number with PostgreSQL's `numeric` rules, of any size. Arithmetic with integers
--- is fine, with a Lua float an error. `+ - *` are exact; `/` has at least 16 significant digits;
--- `//` and `%` round down as Lua's. Equal by value (`1.50 == 1.5`, `NaN == NaN`); as the key of a
--- table use `tostring`. `..` gives its text.
---@operator add(Decimal|integer): Decimal
---@operator sub(Decimal|integer): Decimal
---@operator mul(Decimal|integer): Decimal
---@operator div(Decimal|integer): Decimal
---@operator idiv(Decimal|integer): Decimal
---@operator mod(Decimal|integer): Decimal
---@operator unm: Decimal
---@operator concat(string|integer|Decimal): string
local Decimal = {}

--- The nearest float.
---@return number
function Decimal:tonumber() end

--- The value as an integer; nil if it has a fraction or does not fit 64 bits.
---@return integer?
function Decimal:tointeger() end

--- Digits after the point, 0 to 16383.
---@return integer
function Decimal:scale() end

--- -1, 0 or 1.
---@return integer
function Decimal:sign() end

---@return Decimal
function Decimal:abs() end

--- Rounded half away from zero; fills up with zeros.
---@param places integer? after the point (default 0), before it when negative
---@return Decimal
function Decimal:round(places) end

--- Cut off.
---@param places integer? after the point (default 0), before it when negative
---@return Decimal
function Decimal:trunc(places) end

--- Without zeros at the end of the fraction.
---@return Decimal
function Decimal:normalize() end

--- Neither NaN nor an infinity.
---@return boolean
function Decimal:isfinite() end

--- From text (digits, point, exponent, "NaN", "Infinity"), an integer or a decimal. A float is an
--- error: it is not exact.
---@param value string|integer|Decimal
---@return Decimal
function rh.decimal(value) end

---@alias TimeKind "date"|"time"|"timestamp"|"timestamptz"|"interval"

---@class Time
--- A point or a span in time, to the microsecond, years 4713 BC to 294246. `tostring` gives
--- PostgreSQL's text. A timestamptz keeps the offset it was written with, and counts days there.
---
--- Point + interval, date + integer (days), point - point (an interval; of two dates an integer of
--- days), interval * number. Months come first and stay within the month: 31 January + 1 mon is 29
--- February. Comparison is within a kind, and of date and timestamp; intervals count 30 days a month.
---@field kind TimeKind
---@field infinite boolean
---@field year integer 0 is 1 BC
---@field month integer 1 to 12
---@field day integer 1 to 31
---@field weekday integer 1 Monday to 7 Sunday
---@field yearday integer from 1
---@field hour integer
---@field minute integer
---@field second integer
---@field microsecond integer 0 to 999999
---@field offset integer of a timestamptz: seconds east of UTC
---@field epoch number seconds since 1970-01-01
---@field epoch_microseconds integer
---@field years integer of an interval, as are `months` to `microseconds`
---@field months integer
---@field days integer
---@field hours integer
---@field minutes integer
---@field seconds integer
---@field microseconds integer all that is below a day
---@operator add(Time|integer): Time
---@operator sub(Time|integer): Time|integer
---@operator mul(number): Time
---@operator unm: Time
---@operator concat(string|integer|Time): string
local Time = {}

--- As `strftime` in the C locale: `%Y %y %m %d %e %j %H %I %M %S %p %a %A %b %B %u %w %F %T %%`, with
--- `%f` microseconds, `%L` milliseconds, `%s` seconds since 1970 and `%z` as "+0200".
---@param pattern string
---@return string
function Time:format(pattern) end

--- The beginning of the unit.
---@param unit "year"|"month"|"week"|"day"|"hour"|"minute"|"second"
---@return Time
function Time:trunc(unit) end

--- The same instant at another offset ("Z", "+02:00"); a timestamp is taken as that place's clock.
---@param offset string
---@return Time
function Time:at(offset) end

--- The day.
---@return Time
function Time:date() end

--- Of an interval, with 30 days a month; of a point since 1970.
---@return number
function Time:total_seconds() end

---@class replhost.time
rh.time = {}

--- Reads PostgreSQL's ISO forms and ISO 8601's, `infinity` included. "04:05:06" is a time of day
--- unless `kind` says interval.
---@param text string
---@param kind TimeKind? anything else is an error
---@return Time
function rh.time.parse(text, kind) end

--- The clock, as timestamptz in UTC.
---@return Time
function rh.time.now() end

---@param fields {year: integer, month: integer?, day: integer?}
---@return Time
function rh.time.date(fields) end

--- With `offset` a timestamptz.
---@param fields {year: integer, month: integer?, day: integer?, hour: integer?, minute: integer?, second: integer?, microsecond: integer?, offset: string?}
---@return Time
function rh.time.timestamp(fields) end

---@param value string|{years: integer?, months: integer?, weeks: integer?, days: integer?, hours: integer?, minutes: integer?, seconds: number?, microseconds: integer?}
---@return Time
function rh.time.interval(value) end

--------------------------------------------------------------------------------------------------
-- Helpers
--------------------------------------------------------------------------------------------------

---@class replhost.json
---@field null Null
--- Metatable of arrays. Called with a table (or nothing) it marks and returns it: `json.array {}` is `[]`.
---@field array table|fun(items: table?): table
--- Metatable that makes a table an object whatever its keys; integers become strings.
---@field object table|fun(fields: table?): table
rh.json = {}

--- Reads one JSON text (RFC 8259, strict). Integers of 64 bits are integers; other numbers floats
--- where a float gives back the same number, else decimals; null is `rh.null`; arrays carry
--- `json.array`. Raises with line, column and byte. At most 512 levels.
---@param text string
---@return any
function rh.json.decode(text) end

--- Writes a value. A table with keys 1 to n is an array, one with strings or none an object, unless
--- marked. Raises with the path for functions, NaN, infinity, cycles, holes and invalid UTF-8.
---@param value any
---@param options {sorted: boolean?, indent: integer?}? `sorted = false` leaves keys in no order; `indent` in blanks
---@return string
function rh.json.encode(value, options) end

---@class replhost.mask
--- Which masks keep distinct values distinct.
---@field unique table<string, boolean>
rh.mask = {}

--- `rh.mask.email(row.email)`: 16 characters of hash at example.com, nil for nil. With a table of
--- options it returns the masker. Without a key whoever has a list of addresses can try them.
---@param address string?
---@return string?
---@overload fun(options: {key: string?, domain: string?, keep_domain: boolean?}): fun(address: string?): string?
function rh.mask.email(address) end

--- Other digits in the same places, letters as x. Not unique.
---@param number string|integer|nil
---@return string?
---@overload fun(options: {key: string?}): fun(number: string|integer|nil): string?
function rh.mask.phone(number) end

--- A made-up name. Not unique.
---@param name string?
---@return string?
---@overload fun(options: {key: string?}): fun(name: string?): string?
function rh.mask.name(name) end

--- Stars for all letters and digits but the last four. Not unique.
---@param value string|integer|nil
---@return string?
function rh.mask.last4(value) end

--- HMAC-SHA-256 as 64 hexadecimal digits: what pgcrypto's `hmac(v, key, 'sha256')` computes.
---@param key string not empty
---@param value string|integer|nil
---@return string?
function rh.mask.hash(key, value) end

--- 22 characters for `value`, unique.
---@param key string not empty
---@param value string|integer|nil
---@return string?
function rh.mask.token(key, value) end

--- Always nil.
---@param value any
---@return nil
function rh.mask.null(value) end

--- Moves a date by 1 to `days` days, forwards or back. All dates under a key move alike, so spans
--- between them stay: put the person into the key, `rh.mask.date_shift(secret .. row.id, row.born, 30)`.
---@generic T: string|Time|nil
---@param key string not empty
---@param value T
---@param days integer 1 to 100000
---@return T
function rh.mask.date_shift(key, value, days) end

---@class replhost.uuid
rh.uuid = {}

--- Random.
---@return string
function rh.uuid.v4() end

--- Ordered by time; strictly increasing within a process.
---@return string
function rh.uuid.v7() end

--- From a name: the same name in the same namespace gives the same UUID.
---@param namespace string a UUID, or "dns", "url", "oid", "x500"
---@param name string
---@return string
function rh.uuid.v5(namespace, name) end

--- The canonical form and the version; nil for what is none.
---@param text string
---@return string? id
---@return integer? version
function rh.uuid.parse(text) end

---@alias HashForm "hex"|"raw"

---@class replhost.hash
rh.hash = {}

---@param bytes string
---@param form HashForm? default "hex"
---@return string
function rh.hash.sha256(bytes, form) end

---@param bytes string
---@param form HashForm?
---@return string
function rh.hash.sha512(bytes, form) end

--- Broken as a signature; for what others prescribe.
---@param bytes string
---@param form HashForm?
---@return string
function rh.hash.sha1(bytes, form) end

--- Broken as a signature; for what others prescribe.
---@param bytes string
---@param form HashForm?
---@return string
function rh.hash.md5(bytes, form) end

--- HMAC-SHA-256.
---@param key string
---@param bytes string
---@param form HashForm?
---@return string
function rh.hash.hmac(key, bytes, form) end

---@class replhost.base64
rh.base64 = {}

---@param bytes string
---@return string
function rh.base64.encode(bytes) end

--- With the URL alphabet, without padding.
---@param bytes string
---@return string
function rh.base64.url(bytes) end

--- Takes both alphabets, padding or none, line ends. Raises for anything else.
---@param text string
---@return string
function rh.base64.decode(text) end

---@class replhost.hex
rh.hex = {}

---@param bytes string
---@return string
function rh.hex.encode(bytes) end

---@param text string
---@return string
function rh.hex.decode(text) end

---@class replhost.csv
rh.csv = {}

---@class CsvParseOptions
---@field separator string? one character (default ",")
---@field quote string? one character (default '"')
---@field header boolean|string[]|nil true: the first record names the fields; or their names
---@field nulls boolean? an empty field without quotes is `rh.null`

--- Iterates the records of text, a file, or a function that returns pieces and nil at the end.
--- Raises with the line for what breaks RFC 4180. Empty lines are skipped.
---@param source string|file*|fun(): string?
---@param options CsvParseOptions?
---@return fun(): table?
function rh.csv.parse(source, options) end

---@class CsvFormatOptions
---@field separator string?
---@field quote string?
---@field columns string[]? names of the fields of rows that are tables by name
---@field line_end string? default "\n"
---@field header boolean? for `format`: begin with the names

--- The text of all rows. NULL is an empty field, an empty string a quoted one, as COPY has it.
---@param rows table[]
---@param options CsvFormatOptions?
---@return string
function rh.csv.format(rows, options) end

--- A function that gives the line of one row.
---@param options CsvFormatOptions?
---@return fun(row: table|Row): string
function rh.csv.formatter(options) end

---@class replhost.log
--- Records on standard error, one line each; `print` goes to standard output.
rh.log = {}

---@param message string
---@param fields table<string, any>?
function rh.log.debug(message, fields) end

---@param message string
---@param fields table<string, any>?
function rh.log.info(message, fields) end

---@param message string
---@param fields table<string, any>?
function rh.log.warn(message, fields) end

---@param message string
---@param fields table<string, any>?
function rh.log.error(message, fields) end

---@class replhost.metric
--- What scripts count for `/metrics` (`run --listen`). The same name is the same metric in all workers of a process; what
-- was counted lives as long as the process. Names are Prometheus's (letters, digits, "_" and ":"); "replhost_" is taken.
rh.metric = {}

---@class MetricOptions
---@field help string? one line that says what is counted, and in which unit

---@class HistogramOptions: MetricOptions
---@field buckets number[]? ascending upper bounds; by default 0.005 … 10, for seconds

---@alias MetricLabels table<string, string|number|boolean> at most 1000 combinations for each metric

---@class Counter
local Counter = {}

--- Adds `by` (1), which is not negative.
---@param by number?
---@param labels MetricLabels?
function Counter:inc(by, labels) end

--- What was counted under these labels so far, in this process.
---@param labels MetricLabels?
---@return number
function Counter:value(labels) end

---@class Gauge
local Gauge = {}

---@param to number
---@param labels MetricLabels?
function Gauge:set(to, labels) end

---@param by number? 1
---@param labels MetricLabels?
function Gauge:inc(by, labels) end

---@param by number? 1
---@param labels MetricLabels?
function Gauge:dec(by, labels) end

---@param labels MetricLabels?
---@return number
function Gauge:value(labels) end

---@class Histogram
local Histogram = {}

---@param number number
---@param labels MetricLabels?
function Histogram:observe(number, labels) end

--- The sum of what was observed, and how many.
---@param labels MetricLabels?
---@return number sum
---@return integer count
function Histogram:value(labels) end

--- Only grows. In `/metrics` its name ends in "_total".
---@param name string
---@param options MetricOptions?
---@return Counter
function rh.metric.counter(name, options) end

---@param name string
---@param options MetricOptions?
---@return Gauge
function rh.metric.gauge(name, options) end

---@param name string
---@param options HistogramOptions?
---@return Histogram
function rh.metric.histogram(name, options) end

--- An environment variable. Without a default a missing one is an error.
---@generic T
---@param name string
---@param default T
---@return string|T
---@overload fun(name: string): string
function rh.env(name, default) end

--------------------------------------------------------------------------------------------------
-- Pipelines
--------------------------------------------------------------------------------------------------

--- Left alone: `["public.*"] = rh.copy` copies rows as they are.
---@class Copy
rh.copy = {}

--- `["public.audit_*"] = rh.skip`: the tables are not copied.
---@class Skip
rh.skip = {}

--- What a transform returns for a row that goes nowhere.
---@class Drop
rh.drop = {}

---@class Routed

--- What a transform returns for a row that goes into another table of the target. A Row takes all its columns along,
--- under the names that the transform sees; one that the table does not have is an error.
---@param table string "schema.table"
---@param row Row|table<string, PgValue>
---@return Routed
function rh.to(table, row) end

--- What becomes of a row: the row itself, changed in place; a table, whose absent keys take the columns' defaults
--- (`rh.null` is NULL); `rh.drop`; `rh.to(…)`; or a list of these, where `{}` drops the row. Nothing at all is an error.
---@alias TransformResult Row|table<string, PgValue>|Drop|Routed|(Row|table<string, PgValue>|Drop|Routed)[]

--- What a column reads as that the source has not sent: a large value that an update has not changed, or, in a delete,
--- all but the replica identity. It can be compared and handed on (the masks do), nothing else. A column that has it, or
--- gets it assigned, keeps its value in the target.
---@type userdata
rh.unchanged = nil

---@class Event
--- What a transform is told beside the row. In the first copy `old`, `lsn`, `xid` and `commit_time` are nil.
---@field op "read"|"insert"|"update"|"delete" "read" in the first copy
---@field table string of the source, "public.orders"
---@field key table<string, PgValue> the row's key columns as they came; not for batches, nor the members below but `table`
---@field old AnyRow? the row before the change, if PostgreSQL sent it
---@field snapshot boolean true in the first copy
---@field lsn string?
---@field xid integer?
---@field commit_time string?
local Event = {}

--- Whether the change has touched the column; in the first copy always true.
---@param column string
---@return boolean
function Event.changed(column) end

---@class RowBatch
--- Up to 1000 rows or 4 MB; `#batch` is their number. Rows are valid until the function returns.
local RowBatch = {}

--- `for row in batch:each() do`: the rows that were not dropped yet.
---@return fun(): AnyRow?
function RowBatch:each() end

--- Runs `sql` once for the batch: `$1` is the array of the column's distinct values, typed by the server's inference
--- (`WHERE id = any($1)`; elsewhere say it, `unnest($1::bigint[])`). Returns a map of the result's first column to its
--- rows; of rows with the same key the first one counts.
---@param pool Pool
---@param sql string
---@param column string
---@return table<PgValue, AnyRow>
function RowBatch:lookup(pool, sql, column) end

--- The row goes nowhere.
---@param row Row one of the batch
function RowBatch:drop(row) end

--- One row more, into any table of the target.
---@param table string "schema.table"
---@param row Row|table<string, PgValue>
function RowBatch:emit(table, row) end

---@class TableOptions
---@field to string? the target's name, "schema.table" (default: the same)
---@field columns string[]|table<string, string>|nil those that are copied, all others are not: names, or source name = target name
---@field where string? SQL over the source's columns
---@field key string|string[]|nil columns that tell rows apart, for a table without a key
---@field transform (fun(row: AnyRow, event: Event): TransformResult)|nil the same row must always give the same result
---@field transform_batch fun(batch: RowBatch, event: Event)|nil changes rows in place and returns nothing; not with `transform`
---@field on_error "stop"|"dead_letter"|"skip"|nil what becomes of a row whose transform raises (default "stop")
---@field on_conflict "error"|"upsert"|"skip"|nil what becomes of a row whose key the target has (default "error")
---@field types table<string, string>|nil types in the target by column; columns that the source does not have are added, NULL until set
---@field create boolean? make the target table when it is missing (default true)

---@class SnapshotOptions
---@field workers integer? 1 to 64 (default: one for each core, at most 8)
---@field chunk_rows integer? rows in a chunk, about
---@field mode "initial"|"only"|"never"|nil (default "initial")

---@class LimitOptions
---@field row_time Duration? how long a function may run without waiting, for a row
---@field batch_time Duration? the same, for a batch
---@field memory integer|string|nil of each worker: bytes, "64kB", "512MB", "1GB"

---@class StreamCommit
--- What one transaction of the target has brought: whole transactions of the source.
---@field lsn string everything in the source's log before it is in the target
---@field transactions integer of the source
---@field changes integer rows
---@field conflicts integer rows that the target had already, or did not have, where `on_conflict` lets that pass
---@field commit_time string on the source, of the last transaction, in UTC

---@class ThrottleOptions
---@field rows_per_second number? over all workers
---@field bytes_per_second integer|string|nil over all workers: bytes, "20MB"

---@class WalBudget
---@field size integer|string bytes, "20GB"
---@field action "warn"|"stop"|nil above it: say so in the log (default), or end with an error and drop the replication slot, after which the pipeline has to begin anew

---@class SchemaChange
--- A table of the source that is not as it was when its changes were followed last. A column that has got another name is
--- dropped under the old one and added under the new one.
---@field table string "schema.table"
---@field added string[] columns that the target has no room for
---@field dropped string[] columns that the source has no more
---@field retyped string[] columns of another type than before
---@field summary string the same in words

---@class PipelineTables: { [string]: (fun(row: AnyRow, event: Event): TransformResult)|TableOptions|Copy|Skip }
--- By pattern: "public.orders", "public.*", "audit_?"; the most specific one counts. `replhost types FILE` adds the
--- pipeline's own tables, so that the functions beside their names know their rows.

---@class ApplyOptions
---@field connections integer? 1 to 64: to the target, at the most, for batches of changes that have no row in common (default 4)

---@class PipelineOptions
---@field source Pool
---@field sink Pool
---@field tables PipelineTables
---@field snapshot SnapshotOptions?
---@field limits LimitOptions?
---@field throttle ThrottleOptions?
---@field apply ApplyOptions?
---@field stream boolean? follow the changes after the copy (default true)
---@field on_schema_change "stop"|"apply"|"ignore"|(fun(change: SchemaChange): "stop"|"apply"|"ignore")|nil what happens when a table of the source changes (default "stop"); a function is asked for each change, and an error in it stops the stream there
---@field heartbeat Duration? between two signs of life through the source's log (default "15s")
---@field wal_budget integer|string|WalBudget|nil how much log the source may keep for the pipeline: bytes, "20GB" (said in the log), or a table
---@field on_commit fun(commit: StreamCommit)? changes are in the target
---@field on_start fun()?
---@field on_stop fun()?
---@field on_snapshot_done fun()?

---@class State
--- Durable values of a pipeline's functions, kept in the target and committed with the rows of the chunk that has
--- changed them; what a row that fails has changed is taken back. For transforms only. A chunk sees the values as they
--- were when it first asked, with its own changes: other workers change them, too, and of two `set` the last one counts.
local State = {}

---@param key string
---@return any value nil if there is none
function State:get(key) end

---@param key string
---@param value any what JSON can hold; nil removes the key
function State:set(key, value) end

--- Adds to an integer; what others add at the same time is added as well.
---@param key string
---@param by integer? default 1
---@return integer value with what this chunk can see
function State:incr(key, by) end

--- In the order of the keys.
---@return fun(): string?, any
function State:each() end

--- The values under a name; each pipeline has its own.
---@param name string
---@return State
function rh.state(name) end

---@class Pipeline
--- A file returns one, or a list of them.
---@field name string

--- Declares a pipeline. Every option is checked here.
---@param name string its progress is kept under this name
---@param options PipelineOptions
---@return Pipeline
---@overload fun(name: string): fun(options: PipelineOptions): Pipeline
function rh.pipeline(name, options) end

--------------------------------------------------------------------------------------------------
-- Tests of pipelines
--------------------------------------------------------------------------------------------------

---@class replhost.test
--- `local t = require "replhost.test"`: runs a pipeline's functions over single rows, without a database.
local t = {}
rh.test = t

--- `replhost test` calls `fn()`; it fails when it raises.
---@param name string
---@param fn fun()
function t.case(name, fn) end

--- Runs a pipeline file, named from the test's directory. Column types that `replhost types FILE --record` has written
--- beside it (`shop_schema.lua` for `shop.lua`) count from then on, as if `t.schema` had been called.
---@param file string
---@return Pipeline
function t.load(file) end

---@class RecordedColumn
--- A column as `replhost types --record` writes it.
---@field name string
---@field type string as PostgreSQL writes it, "numeric(10,2)"
---@field base string? what a domain is made of
---@field labels string[]? of an enum
---@field key boolean? one of those that tell rows apart
---@field not_null boolean?
---@field generated boolean? by the server: transforms do not see it

--- Loads column types by table: from a file as `replhost types FILE --record` writes it, or from a pool's database as it
--- is now. Rows of later tests have real values: decimals for numeric, ISO text for times. Unknown columns, and values
--- that a column's type refuses, are errors: numbers out of range, dates that do not exist, labels that an enum does not
--- have, text that is too long.
---@param given string|Pool a file is named from the test's directory
---@return table<string, RecordedColumn[]>
function t.schema(given) end

--- What the pipeline makes of a row of the source; empty if the row goes nowhere.
---@param pipeline Pipeline
---@param table string "schema.table"
---@param given { op: "read"|"insert"|"update"|"delete"|nil, row: table<string, PgValue>, old: table<string, PgValue>? }
---@return { table: string, row: table<string, PgValue> }[]
function t.run(pipeline, table, given) end

--- Equal, tables by their content.
---@param found any
---@param expected any
---@param message string?
function t.equal(found, expected, message) end

---@param found any
---@param other any
---@param message string?
function t.not_equal(found, other, message) end

--- Has a match of the Lua pattern.
---@param text any
---@param pattern string
---@param message string?
function t.match(text, pattern, message) end

---@param text any nil matches nothing
---@param pattern string
---@param message string?
function t.no_match(text, pattern, message) end

--- Neither nil nor false.
---@param value any
---@param message string?
function t.truthy(value, message) end

--- `fn(…)` raises an error whose text has a match of the Lua pattern.
---@param pattern string
---@param fn fun(...): ...
---@param ... any
---@return any error
function t.raises(pattern, fn, ...) end

--------------------------------------------------------------------------------------------------
-- Limits
--------------------------------------------------------------------------------------------------
-- By default a script has Lua without `io.popen`, `os.execute`, `os.exit`, C modules and binary
-- chunks; `io` reaches files under the script's directory only. `--allow io,os` opens more, `--sandbox
-- strict` takes all of `io` and `os`. Memory (256 MB) and time without waiting (10 s) are limited; a
-- script over a limit gets an error with its position, and `pcall` does not keep it alive.

return rh
