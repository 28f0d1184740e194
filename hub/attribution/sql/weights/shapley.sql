-- Shapley value of the game v(S) = orders whose channels all are in S. That game is the sum of one small game
-- per order ("all of these channels or nothing"), whose Shapley value is an equal share for each of them; the
-- value is additive, so this is exact for any number of channels, and nothing needs to be sampled.
-- A channel's share goes to its touches alike.
SELECT order_no, touch_no, n, 1000000000 // count(*) OVER (PARTITION BY order_no, {key}) AS weight FROM path
