/** A show, made of as little as the tests need. */

import type { ShowOrder, ShowSnapshot, StaffMessage, Target } from "@simulcast/api";

export const AT = "2026-11-24T20:00:00+00:00";

export function aTarget(part: Partial<Target> = {}): Target {
  return {
    id: "t1",
    name: "Linnea on YouTube",
    connector: "youtube",
    platform: "youtube",
    connection_id: "c1",
    wanted: true,
    state: "idle",
    reason: null,
    next_try_at: null,
    since: AT,
    watch_url: null,
    platform_state: null,
    profile: null,
    plan: "youtube",
    own_address: false,
    backup_offered: false,
    backup_wanted: true,
    backup_state: null,
    backup_reason: null,
    bytes_sent: 0,
    bytes_acknowledged: 0,
    frames_sent: 0,
    frames_dropped: 0,
    connects: 0,
    gaps: 0,
    seconds_wanted: 0,
    seconds_live: 0,
    removed: false,
    link_url: "http://hub/l/abc",
    ...part,
  };
}

export function aMessage(seq: number, part: Partial<StaffMessage> = {}): StaffMessage {
  return {
    id: `m${seq}`,
    seq,
    platform: "youtube",
    target_id: "t1",
    author_name: "Anna",
    text: `message ${seq}`,
    kind: "text",
    amount_minor: null,
    currency: null,
    at: new Date(Date.parse(AT) + seq * 1_000).toISOString(),
    show_time_ms: null,
    deleted: false,
    outgoing: false,
    deliveries: [],
    ...part,
  };
}

export function anOrder(id: string, part: Partial<ShowOrder> = {}): ShowOrder {
  return {
    id,
    number: `#${id}`,
    channel: "shopify",
    state: "paid",
    message: "",
    total_minor: 4_900,
    currency: "EUR",
    placed_at: AT,
    buyer_name: "Anna",
    customer_id: null,
    first_source: "youtube",
    last_source: "youtube",
    lines: [],
    ...part,
  };
}

export function aSnapshot(part: Partial<ShowSnapshot> = {}): ShowSnapshot {
  return {
    seq: 0,
    show: {
      id: "s1",
      slug: "evening",
      title: "Evening",
      state: "live",
      starts_at: null,
      live_at: AT,
      ended_at: null,
      description: "",
      ingest: { server: "rtmp://hub/live", key: "k" },
      feed: {
        backup_key: "b",
        srt_url: "srt://hub:8890?streamid=publish:k",
        srt_passphrase: null,
        takeover: "newest",
        failback: "return",
        grace_seconds: 60,
        slate_text: "We'll be right back",
        slate_asset: null,
        recording: false,
        source: null,
        whip_url: "http://hub:8081/live/evening/whip",
      },
      watch_url: "http://hub/watch/evening",
    },
    ingest: null,
    health: null,
    profiles: [],
    targets: [aTarget()],
    chats: [{ platform: "youtube", target_id: "t1", state: "connected", detail: "" }],
    messages: [],
    products: [
      {
        id: "p1",
        title: "Bag",
        description: "",
        image_url: null,
        highlighted: false,
        variants: [
          {
            id: "v1",
            sku: "BAG",
            title: "",
            price_minor: 4_900,
            currency: "EUR",
            stock: { on_hand: 50, held: 0, committed: 0, available: 50, version: 7 },
            refused: [],
          },
        ],
      },
    ],
    sales: {
      orders: 0,
      revenue_minor: 0,
      currency: "EUR",
      sold_out: 0,
      customers: 0,
      by_channel: [],
      by_first_touch: [],
      by_last_touch: [],
    },
    playback: null,
    viewers: 0,
    ...part,
  };
}
