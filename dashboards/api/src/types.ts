/** What the hub's HTTP API and gateway say, as types. Money is in minor units; moments are ISO 8601 in UTC. */

export type Role = "owner" | "producer" | "moderator" | "viewer";
export type ShowState = "scheduled" | "live" | "ended";
export type OrderState =
  | "reserved"
  | "authorising"
  | "paid"
  | "failed"
  | "expired"
  | "cancelled"
  | "refunded"
  | "sold_out";

export interface Session {
  member: { id: string; name: string; email: string; role: Role };
  brand: { id: string; name: string; currency: string };
}

/** A staff WebSocket ticket; it lives for 60 s and opens one connection. */
export interface GatewayTicket {
  ticket: string;
  url: string;
  expires_at: string;
}

export type JsonSchema = Record<string, unknown> & {
  properties?: Record<string, Record<string, unknown>>;
  required?: string[];
};

export interface Connector {
  name: string;
  title: string;
  capabilities: string[];
  schema: JsonSchema;
  needs_tokens: boolean;
  /** What login to paste and where it is found; null when the config alone is enough. */
  token_help: string | null;
  /** A refresh token keeps the login alive. */
  refreshes: boolean;
}

/** A delivery from a platform that was not worked on. Parked ones wait for a person; stored ones are retried. */
export interface DeliveryTrouble {
  id: string;
  connection_id: string;
  state: "stored" | "parked";
  error: string;
  received_at: string;
}

export type ConnectionState = "ok" | "reconnect" | "off";

export interface Connection {
  id: string;
  connector: string;
  title: string;
  name: string;
  state: ConnectionState;
  reason: string | null;
  capabilities: string[];
  token_expires_at: string | null;
  webhook_url: string | null;
  created_at: string;
}

export interface PlatformTokens {
  access: string;
  refresh?: string;
  expires_at?: string;
}

export interface NewConnection {
  connector: string;
  name: string;
  config: Record<string, unknown>;
  tokens?: PlatformTokens;
}

export interface Stock {
  on_hand: number;
  held: number;
  committed: number;
  available: number;
  version: number;
}

/** A shop that did not take our stock of a variant. */
export interface Refusal {
  platform: string;
  account: string;
  reason: string;
}

export interface Variant {
  id: string;
  sku: string;
  title: string;
  price_minor: number;
  currency: string;
  stock: Stock;
  /** Only staff are told; empty when every shop took it. */
  refused: Refusal[];
}

/** `highlighted` is false outside a show. */
export interface Product {
  id: string;
  title: string;
  description: string;
  image_url: string | null;
  highlighted: boolean;
  variants: Variant[];
}

export interface NewProduct {
  title: string;
  description?: string;
  image_url?: string;
  variants: { sku: string; title: string; price_minor: number; currency: string; on_hand: number }[];
}

export interface ShowSummary {
  id: string;
  slug: string;
  title: string;
  state: ShowState;
  starts_at: string | null;
  live_at: string | null;
  ended_at: string | null;
}

export interface NewShow {
  title: string;
  description?: string;
  slug?: string;
  starts_at?: string;
  product_ids?: string[];
  target_connection_ids?: string[];
}

export interface IngestAddress {
  server: string;
  key: string;
}

/** What the encoder sends. */
export interface Ingest {
  publishing: boolean;
  peer: string;
  encoder: string;
  video_codec: string | null;
  audio_codec: string | null;
  width: number | null;
  height: number | null;
  fps: number | null;
  bitrate_kbps: number;
  keyframe_interval_ms: number | null;
  since: string;
}

/** Nobody sends; `reason` says why the encoder left, when it just did. */
export interface NoIngest {
  publishing?: false;
  reason?: string | null;
}

export type TargetState = "idle" | "connecting" | "live" | "retrying" | "paused" | "failed";

export interface Target {
  id: string;
  name: string;
  connector: string;
  connection_id: string;
  wanted: boolean;
  state: TargetState;
  reason: string | null;
  next_try_at: string | null;
  since: string;
  watch_url: string | null;
  platform_state: string | null;
  bytes_sent: number;
  frames_sent: number;
  frames_dropped: number;
  link_url: string | null;
}

export interface ChatSource {
  platform: string;
  target_id: string;
  state: "off" | "connecting" | "connected" | "degraded" | "down";
  detail: string;
}

export interface Delivery {
  target_id: string | null;
  platform: string;
  state: "queued" | "sent" | "confirmed" | "failed" | "unknown";
  reason: string | null;
}

/** A chat message as the viewers get it. `kind` is "text" unless it is a gift, a join and the like. */
export interface Message {
  id: string;
  seq: number;
  platform: string;
  target_id: string | null;
  author_name: string | null;
  text: string;
  kind: string;
  amount_minor: number | null;
  currency: string | null;
  at: string;
  show_time_ms: number | null;
  deleted: boolean;
  outgoing: boolean;
}

export interface StaffMessage extends Message {
  deliveries: Delivery[];
}

export interface SourceSales {
  source: string;
  orders: number;
  revenue_minor: number;
}

export interface Sales {
  orders: number;
  revenue_minor: number;
  currency: string;
  sold_out: number;
  by_channel: { channel: string; orders: number; revenue_minor: number }[];
  by_first_touch: SourceSales[];
  by_last_touch: SourceSales[];
  customers: number;
}

export type ShowProduct = Product;

export interface ShowSnapshot {
  seq: number;
  show: ShowSummary & { description: string; ingest: IngestAddress; watch_url: string };
  ingest: Ingest | null;
  targets: Target[];
  chats: ChatSource[];
  messages: StaffMessage[];
  products: ShowProduct[];
  sales: Sales;
  playback: { hls_url: string } | null;
  viewers: number;
}

/** "all", or a list of target ids and "own" (the chat of our own watch page). */
export type Recipients = "all" | string[];

export interface OrderLine {
  sku: string | null;
  title: string;
  quantity: number;
  unit_minor: number;
  state: "open" | "committed" | "sold_out" | "unknown_sku" | "released";
}

export interface ShowOrder {
  id: string;
  number: string;
  channel: string;
  state: OrderState;
  message: string;
  total_minor: number;
  currency: string;
  placed_at: string;
  buyer_name: string | null;
  customer_id: string | null;
  first_source: string;
  last_source: string;
  lines: OrderLine[];
}

export interface Customer {
  id: string;
  name: string | null;
  created_at: string;
  orders: number;
  revenue_minor: number;
  channels: string[];
  touches: { utm_source: string | null; utm_campaign: string | null; at: string }[];
}

/* ---- what viewers get ---- */

export interface PublicVariant {
  id: string;
  sku: string;
  title: string;
  price_minor: number;
  currency: string;
  available: number;
  /** Of the newest news of its stock; the page's document does not say. */
  version?: number;
}

export interface PublicProduct {
  id: string;
  title: string;
  description: string;
  image_url: string | null;
  highlighted: boolean;
  variants: PublicVariant[];
}

export interface PublicShow {
  show: {
    slug: string;
    title: string;
    description: string;
    state: ShowState;
    starts_at: string | null;
    live_at: string | null;
    brand: string;
  };
  /** Null unless the show is live and there is something to play. */
  playback: { hls_url: string } | null;
  gateway: { url: string };
  viewer_token: string;
  viewer_id: string;
  server_time: string;
  products: PublicProduct[];
  messages: Message[];
  seq: number;
  /** Null when the brand has linked no payment account; `test_source` is a test account's test card. */
  payment: { gateway: string; test_source: string | null } | null;
}

export interface Hold {
  hold_id: string;
  expires_at: string;
  server_time: string;
  unit_minor: number;
  currency: string;
  quantity: number;
  available: number;
}

export interface PublicOrder {
  order_id: string;
  number: string;
  state: OrderState;
  /** A sentence for the buyer. */
  message: string;
  total_minor: number;
  currency: string;
  hold_expires_at: string | null;
}

export type PlacedOrder = PublicOrder;

/* ---- what the gateway sends ---- */

export interface EventData {
  hello: { seq: number; server_time: string; viewers: number };
  "message.added": Message;
  "message.deleted": { ids: string[] };
  "delivery.changed": { message_id: string; delivery: Delivery };
  "target.changed": Omit<Target, "link_url">;
  "ingest.changed": Ingest | NoIngest;
  "ingest.refused": { reason: string | null };
  "chat.changed": ChatSource;
  "playback.changed": { playable: boolean };
  /** Staff hear all the counters, viewers what is available. An older `version` than the last one is stale. */
  "stock.changed": { variant_id: string; available: number; version: number } & Partial<Stock>;
  "product.highlighted": { product_id: string | null };
  "show.changed": { state: ShowState; live_at: string | null; ended_at: string | null };
  "order.placed": ShowOrder;
  "sales.changed": Sales;
  "order.changed": {
    order_id: string;
    viewer_id: string | null;
    number: string;
    state: OrderState;
    message: string;
  };
  "viewers.changed": { count: number };
  gap: Record<string, never>;
}

export type EventKind = keyof EventData;

export type GatewayEvent = {
  [K in EventKind]: { kind: K; seq: number | null; data: EventData[K] };
}[EventKind];
