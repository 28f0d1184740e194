"""The SQL of figures by region. `:fresh` is the moment after which a player must have reported to be here."""

from __future__ import annotations

from sqlalchemy import text

REGIONS = text(
    """
    WITH seen AS (
        SELECT *, (seen_at > :fresh AND NOT ended) AS here FROM playback_session
        WHERE show_id = :show_id AND brand_id = :brand_id AND kind = 'viewer')
    SELECT region,
           CASE WHEN count(DISTINCT region_by) > 1 THEN 'both' ELSE min(region_by) END AS by,
           count(*) AS sessions,
           count(*) FILTER (WHERE startup_ms IS NULL AND NOT here) AS without_picture,
           count(*) FILTER (WHERE here) AS viewers,
           count(startup_ms) AS startups,
           percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY startup_ms) AS startup,
           count(latency_ms) FILTER (WHERE here) AS latencies,
           percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY latency_ms)
               FILTER (WHERE here) AS latency,
           sum(watched_ms)::bigint AS watched_ms,
           sum(stalled_ms)::bigint AS stalled_ms,
           sum(stalls)::bigint AS stalls
    FROM seen GROUP BY region
    ORDER BY viewers DESC, sessions DESC, region NULLS LAST LIMIT :limit
    """
)
MARK = text(
    """
    WITH seen AS (
        SELECT *, (seen_at > :fresh AND NOT ended) AS here,
               (seen_at - at_ms * INTERVAL '1 millisecond' > :recent) AS new
        FROM playback_session WHERE kind = 'viewer' AND region IS NOT NULL),
    ranked AS (
        SELECT show.id AS show_id, show.brand_id, region, count(*) FILTER (WHERE here) AS viewers,
               count(startup_ms) FILTER (WHERE new) AS startups,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY startup_ms) FILTER (WHERE new) AS startup_ms,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) FILTER (WHERE here) AS latency_ms,
               sum(watched_ms)::bigint AS watched_ms, sum(stalled_ms)::bigint AS stalled_ms,
               sum(stalls)::bigint AS stalls,
               row_number() OVER (PARTITION BY show.id ORDER BY count(*) FILTER (WHERE here) DESC, region)
                   AS place
        FROM show JOIN seen ON seen.show_id = show.id WHERE show.state = 'live' GROUP BY show.id, region)
    INSERT INTO region_point (show_id, region, at, brand_id, viewers, startups, startup_ms, latency_ms,
                              watched_ms, stalled_ms, stalls)
    SELECT show_id, region, CAST(:at AS timestamptz), brand_id, viewers, startups, startup_ms, latency_ms,
           watched_ms, stalled_ms, stalls
    FROM ranked WHERE place <= :most
    ON CONFLICT (show_id, at, region) DO UPDATE SET
        viewers = excluded.viewers, startups = excluded.startups, startup_ms = excluded.startup_ms,
        latency_ms = excluded.latency_ms, watched_ms = excluded.watched_ms,
        stalled_ms = excluded.stalled_ms, stalls = excluded.stalls
    """
)
"""`:recent`: whoever began after it counts for the startup. Names that nobody knows could be sent by
anybody: the `:most` regions with most viewers are kept."""
LATELY = text(
    """
    SELECT now.show_id, now.brand_id, now.region, now.viewers, now.startups, now.startup_ms,
           greatest(now.watched_ms - coalesce(past.watched_ms, 0), 0) AS watched_ms,
           greatest(now.stalled_ms - coalesce(past.stalled_ms, 0), 0) AS stalled_ms
    FROM show JOIN region_point AS now ON now.show_id = show.id LEFT JOIN LATERAL (
        SELECT watched_ms, stalled_ms FROM region_point
        WHERE show_id = now.show_id AND region = now.region AND at <= :since
        ORDER BY at DESC LIMIT 1) AS past ON true
    WHERE show.state = 'live' AND now.at = :at ORDER BY now.show_id, now.region
    """
)
"""What each region was like since `:since`; the points of `:at` have just been made."""
OPENED = text(
    """
    INSERT INTO region_alarm AS known (id, brand_id, show_id, region, kind, value, median, viewers, began_at)
    VALUES (:id, :brand_id, :show_id, :region, :kind, :value, :median, :viewers, :now)
    ON CONFLICT (show_id, region, kind) WHERE ended_at IS NULL
    DO UPDATE SET value = excluded.value, median = excluded.median, viewers = excluded.viewers
    RETURNING id = :id AS begun
    """
)
OPEN = text("SELECT id, show_id, region, kind FROM region_alarm WHERE ended_at IS NULL FOR UPDATE")
ENDED = text("UPDATE region_alarm SET ended_at = :now WHERE id = ANY(:ids)")
ALARMS_NOW = text(
    """
    SELECT region, kind FROM region_alarm
    WHERE show_id = :show_id AND brand_id = :brand_id AND ended_at IS NULL ORDER BY region, kind
    """
)
ALARMS = text(
    """
    SELECT alarm.id, show_id, show.title AS show_title, region, kind, value, median, viewers, began_at,
           alarm.ended_at
    FROM region_alarm AS alarm JOIN show ON show.id = alarm.show_id
    WHERE alarm.brand_id = :brand_id AND (CAST(:show_id AS uuid) IS NULL OR show_id = CAST(:show_id AS uuid))
      AND (alarm.ended_at IS NULL OR NOT :open)
    ORDER BY alarm.ended_at IS NULL DESC, began_at DESC, alarm.id LIMIT 100
    """
)
HISTORY = text(
    """
    WITH grown AS (
        SELECT region, at, viewers, startup_ms, latency_ms,
               greatest(watched_ms - lag(watched_ms, 1, 0) OVER past, 0) AS watched,
               greatest(stalled_ms - lag(stalled_ms, 1, 0) OVER past, 0) AS stalled,
               greatest(stalls - lag(stalls, 1, 0) OVER past, 0) AS stalls
        FROM region_point WHERE show_id = :show_id AND brand_id = :brand_id
        WINDOW past AS (PARTITION BY region ORDER BY at))
    SELECT region, at, viewers, startup_ms, latency_ms, stalls,
           stalled::float / nullif(stalled + watched, 0) AS rebuffer_ratio
    FROM grown WHERE at > :since ORDER BY at DESC, region LIMIT :limit
    """
)
