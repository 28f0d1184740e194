-- By removal effect: how much of all orders would be lost without the channel (markov.py), in billionths.
-- A channel's share goes to its touches alike.
SELECT order_no, touch_no, n,
    greatest(1, effect.billionths * 1000 // count(*) OVER (PARTITION BY order_no, {key})) AS weight
FROM path JOIN effect ON effect.key = path.{key}
