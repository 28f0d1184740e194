-- For PostgreSQL. Touches that an order in question may have, each with its keys, and those of the show.
-- A touch belongs to its customer, or else to its browser. It says where it came from unless it is direct.
SELECT touch.id, coalesce(touch.customer_id::text, 'v:' || touch.visitor_id),
    (extract(epoch FROM touch.at) * 1000000)::bigint,
    (extract(epoch FROM coalesce(visit.last_at, touch.at)) * 1000000)::bigint + 1800000000,
    touch.show_id,
    coalesce(nullif(touch.utm_source, ''), nullif(touch.referrer_host, ''), '(direct)'),
    coalesce(nullif(touch.channel_group, ''), 'Unassigned'), coalesce(nullif(touch.utm_campaign, ''), '(none)'),
    coalesce(tracked_link.target_id::text, '(none)'), coalesce(touch.link_id::text, '(none)'),
    coalesce(nullif(touch.utm_source, ''), nullif(touch.referrer_host, ''), '(direct)') = '(direct)',
    $2::uuid IS NULL OR touch.show_id IS NOT DISTINCT FROM $2::uuid
FROM touch LEFT JOIN visit ON visit.id = touch.visit_id
LEFT JOIN tracked_link ON tracked_link.id = touch.link_id
WHERE touch.brand_id = $1 AND touch.at < $4::timestamptz
    AND touch.at >= $3::timestamptz - interval '30 days'
    AND {scope}
