--- Replaces personal values by others of the same form, the same value always by the same one.
--
-- `nil` stays `nil`. `email`, `phone` and `name` work without a key; whoever has a list of candidate
-- values can then try them, which a key prevents: `mask.email { key = rh.env "MASK_KEY" }` returns
-- the masker for that key. `mask.unique` says which keep distinct values distinct, so that a unique
-- constraint on the target still holds.
local native = require("replhost.native.values").mask

local mask = {
  last4 = native.last4,
  hash = native.hash,
  token = native.token,
  date_shift = native.date_shift,
}

--- Collisions of `email` (80 bits), `hash` (256) and `token` (128) are possible and will not happen.
mask.unique = {
  email = true,
  phone = false,
  name = false,
  last4 = false,
  hash = true,
  token = true,
  null = false,
  date_shift = true,
}

local function check_options(name, options, allowed)
  for key, value in pairs(options) do
    local expected = allowed[key]
    if not expected then
      error(("mask.%s: unknown option %q"):format(name, tostring(key)), 3)
    elseif type(value) ~= expected then
      error(("mask.%s: option %q must be a %s, got %s"):format(name, key, expected, type(value)), 3)
    end
  end
end

--- `mask.email(address)`, or `mask.email { key, domain, keep_domain }` → masker. The address becomes
-- 16 characters of hash at `domain` (default `example.com`) or, with `keep_domain`, at its own.
function mask.email(value)
  if type(value) ~= "table" then return native.email(value) end
  check_options("email", value, { key = "string", domain = "string", keep_domain = "boolean" })
  local key, domain, keep = value.key, value.domain, value.keep_domain
  return function(address) return native.email(address, key, domain, keep) end
end

local function keyed(name, apply)
  return function(value)
    if type(value) ~= "table" then return apply(value) end
    check_options(name, value, { key = "string" })
    local key = value.key
    return function(plain) return apply(plain, key) end
  end
end

--- `mask.phone(number)`, or `mask.phone { key }` → masker: other digits in the same places.
mask.phone = keyed("phone", native.phone)

--- `mask.name(name)`, or `mask.name { key }` → masker: a made-up first name, with a made-up last
-- name if there was more than one word.
mask.name = keyed("name", native.name)

--- Always nil.
function mask.null() return nil end

return mask
