"""The SQL of the figures. `:fresh` is the moment after which a player must have reported to be here now."""

from __future__ import annotations

from sqlalchemy import text

TOTALS = text(
    """
    WITH seen AS (
        SELECT *, (seen_at > :fresh AND NOT ended) AS here FROM playback_session
        WHERE show_id = :show_id AND brand_id = :brand_id AND kind = 'viewer')
    SELECT count(*) AS sessions,
           count(*) FILTER (WHERE startup_ms IS NULL AND NOT here) AS without_picture,
           count(*) FILTER (WHERE here) AS viewers,
           count(*) FILTER (WHERE here AND transport = 'hls') AS hls,
           count(*) FILTER (WHERE here AND transport = 'whep') AS whep,
           count(*) FILTER (WHERE here AND transport = 'native') AS native,
           count(startup_ms) AS startups,
           percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY startup_ms) AS startup,
           count(latency_ms) FILTER (WHERE here) AS latencies,
           percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY latency_ms)
               FILTER (WHERE here) AS latency,
           coalesce(sum(watched_ms), 0)::bigint AS watched_ms,
           coalesce(sum(stalled_ms), 0)::bigint AS stalled_ms,
           coalesce(sum(stalls), 0)::bigint AS stalls,
           sum(height_ms)::float / nullif(sum(watched_ms) FILTER (WHERE height_ms > 0), 0) AS average_height,
           sum(dropped)::float / nullif(sum(frames), 0) AS dropped_ratio,
           coalesce(sum(switches), 0)::bigint AS switches,
           coalesce(sum(fallbacks), 0)::bigint AS fallbacks
    FROM seen
    """
)
RUNGS = text(
    """
    SELECT height, count(*) AS viewers FROM playback_session
    WHERE show_id = :show_id AND brand_id = :brand_id AND kind = 'viewer'
      AND seen_at > :fresh AND NOT ended AND height > 0
    GROUP BY height ORDER BY height DESC
    """
)
ERRORS = text(
    """
    SELECT code, count(*) AS count, count(DISTINCT session) AS sessions,
           (array_agg(error_detail ORDER BY seen_at DESC) FILTER (
               WHERE error_detail IS NOT NULL AND code = error_codes[array_upper(error_codes, 1)]))[1]
               AS detail
    FROM playback_session CROSS JOIN LATERAL unnest(error_codes) AS code
    WHERE show_id = :show_id AND brand_id = :brand_id AND kind = 'viewer'
    GROUP BY code ORDER BY 2 DESC, 1 LIMIT 20
    """
)
SESSIONS = """
    SELECT session, device, transport, seen_at, (seen_at > :fresh AND NOT ended) AS now, ended, at_ms,
           startup_ms, watched_ms, stalls, stalled_ms, latency_ms, height, switches, fallbacks, error_codes,
           error_detail,
           stalled_ms::float / nullif(stalled_ms + watched_ms, 0) AS rebuffer_ratio,
           nullif(height_ms, 0)::float / nullif(watched_ms, 0) AS average_height,
           dropped::float / nullif(frames, 0) AS dropped_ratio
    FROM playback_session WHERE show_id = :show_id AND brand_id = :brand_id AND kind = :kind
"""
NEWEST = text(f"{SESSIONS} ORDER BY seen_at DESC, session LIMIT :limit")
TROUBLED = text(
    f"""{SESSIONS}
    ORDER BY startup_ms IS NULL AND (ended OR seen_at <= :fresh) DESC, stalled_ms DESC, seen_at DESC, session
    LIMIT :limit"""
)
HISTORY = text(
    """
    WITH point AS (
        SELECT DISTINCT ON (bin) date_bin(:every, at, TIMESTAMPTZ 'epoch') AS bin, *
        FROM playback_point WHERE show_id = :show_id AND brand_id = :brand_id
        ORDER BY bin DESC, at DESC LIMIT :limit + 1),
    grown AS (
        SELECT at, viewers, latency_ms, height,
               greatest(watched_ms - lag(watched_ms, 1, 0) OVER past, 0) AS watched,
               greatest(stalled_ms - lag(stalled_ms, 1, 0) OVER past, 0) AS stalled,
               greatest(stalls - lag(stalls, 1, 0) OVER past, 0) AS stalls
        FROM point WINDOW past AS (ORDER BY at))
    SELECT at, viewers, latency_ms, height, stalls,
           stalled::float / nullif(stalled + watched, 0) AS rebuffer_ratio
    FROM grown WHERE at > :since ORDER BY at DESC LIMIT :limit
    """
)
MARK = text(
    """
    INSERT INTO playback_point (
        show_id, brand_id, at, viewers, latency_ms, height, watched_ms, stalled_ms, stalls)
    SELECT show.id, show.brand_id, CAST(:at AS timestamptz), count(*) FILTER (WHERE here),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) FILTER (WHERE here),
           avg(height) FILTER (WHERE here AND height > 0)::float,
           sum(watched_ms), sum(stalled_ms), sum(stalls)
    FROM show JOIN (
        SELECT *, (seen_at > :fresh AND NOT ended) AS here FROM playback_session WHERE kind = 'viewer'
    ) AS seen ON seen.show_id = show.id
    WHERE show.state = 'live' GROUP BY show.id
    ON CONFLICT (show_id, at) DO UPDATE SET
        viewers = excluded.viewers, latency_ms = excluded.latency_ms, height = excluded.height,
        watched_ms = excluded.watched_ms, stalled_ms = excluded.stalled_ms, stalls = excluded.stalls
    RETURNING show_id, latency_ms
    """
)
