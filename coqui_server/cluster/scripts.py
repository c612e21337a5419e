"""What Redis does in one step, in Lua: https://redis.io/docs/latest/develop/programmability/.

A stream's ids are `generation-number`. The numbers of one generation are 0, 1, 2 …, so whoever
misses some knows how many. A generation begins when Redis has lost the stream or its end.
"""

PUBLISH = """
local stream, generation, sender = KEYS[1], KEYS[2], KEYS[3]
local bound, name, first = ARGV[1], ARGV[2], tonumber(ARGV[3])
local born = redis.call('GET', generation)
if not born or redis.call('EXISTS', stream) == 0 then
    local now = redis.call('TIME')
    local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
    -- A clock that was set back must not lead to ids that were used.
    local used = last and tonumber(last[1]:match('^%d+')) or 0
    born = string.format('%.0f', math.max(now[1] * 1000000 + now[2], used + 1))
    redis.call('SET', generation, born)
end
-- What a sender repeats, because it did not get the answer, is not added again.
local known = tonumber(redis.call('GET', sender) or '0')
for place = 4, #ARGV do
    local number = first + place - 4
    if number > known then
        redis.call('XADD', stream, 'MAXLEN', '~', bound, born .. '-*',
            'sender', name, 'number', number, 'event', ARGV[place])
        known = number
    end
end
redis.call('SET', sender, known, 'EX', 86400)
"""
"""Add events to a stream, each of them once.

Keys: the stream, its generation, the last number of the sender. Arguments: how many events the
stream keeps, the sender, the number of the first event, the events."""

RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""
"""End a generation, if it is still the one of the argument. Key: the generation."""

REPORT = """
local now = tonumber(redis.call('TIME')[1])
redis.call('HSET', KEYS[1], ARGV[1], now .. ' ' .. ARGV[2])
local all, there = redis.call('HGETALL', KEYS[1]), {}
for place = 1, #all, 2 do
    local seen, report = all[place + 1]:match('^(%d+) (.*)$')
    if now - tonumber(seen) > tonumber(ARGV[3]) then
        redis.call('HDEL', KEYS[1], all[place])
    else
        table.insert(there, all[place])
        table.insert(there, report)
    end
end
return there
"""
"""Keep the report of a server, and give those of all that have reported lately, each after its run.

Key: the reports. Arguments: the run, its report, the seconds for which a report counts."""
