/** What the hub's HTTP API and gateway say, as types. Money is in minor units; moments are ISO 8601 in UTC. */

import type { Action, Badge, Fragment, Skipped } from "./chat";
import type { ClaimState } from "./claims";
import type { PublicPixel } from "./conversions";
import type { OfferCount, PublicOffer, ViewerOffer } from "./offers";
import type { Rung } from "./playback";
import type { StockRules } from "./settings";

export type Role = "owner" | "producer" | "moderator" | "viewer";
export type ShowState = "scheduled" | "live" | "ended";
export type OrderState =
  | "reserved"
  | "authorising"
  | "review"
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

/**
 * One cell of the matrix of what works where: "destination", …, "moderation.ban". `gap` is why it is absent, in
 * a sentence; null where it is present or nobody would miss it.
 */
export interface Ability {
  name: string;
  present: boolean;
  gap: string | null;
}

/** How much a platform takes of a show's texts, in characters; null: no such text there. */
export interface TextLimits {
  title: number | null;
  description: number | null;
  tags: number | null;
  /** Single characters it refuses. */
  forbidden: string;
  thumbnail_bytes: number | null;
}

/** What a chat takes from us: `characters` of a message, and `messages` in any `seconds`. */
export interface ChatLimits {
  characters: number;
  unit: "code_point" | "utf16";
  messages: number;
  seconds: number;
  links: boolean;
  repeats: boolean;
}

/** `before_start` and `after_end`: what a person must do on the platform itself. */
export interface ConnectorLimits {
  text: TextLimits | null;
  chat: ChatLimits | null;
  /** Seconds for which a stream key is good that a person entered; null: until it is reset. */
  key_life_s: number | null;
  before_start: string | null;
  after_end: string | null;
}

/** One thing a login allows, and why we ask for it. */
export interface Permission {
  scope: string;
  why: string;
}

/**
 * How an account is linked by pressing Allow on the platform. `redirect_uri` goes into the settings of the brand's
 * app there; `app` is the form of what is then entered here about that app.
 */
export interface ConsentForm {
  redirect_uri: string;
  app: JsonSchema;
  permissions: Permission[];
}

/** What is to be linked by consent: with new credentials of the app, or those of a linked account. */
export interface ConsentWish {
  connector: string;
  app?: Record<string, unknown>;
  app_of?: string;
  /** This account gets the new login; its shows and history stay. */
  reconnect?: string;
}

/** A page or channel that a login reaches. */
export interface AccountChoice {
  id: string;
  title: string;
  detail: string;
  picture_url: string | null;
  linked: boolean;
}

/** A login that waits for a choice of accounts, or the sentence on why there is none. */
export interface PendingLink {
  id: string;
  connector: string;
  title: string;
  /** Exactly one is to be chosen. */
  reconnect: boolean;
  accounts: AccountChoice[];
  problem: string | null;
  expires_at: string;
}

/** The platform's allowance for today, shared by all accounts that came with the same app. */
export interface Budget {
  used: number;
  units: number;
  /** Units kept for what cannot wait, such as going live. */
  reserve: number;
  resets_at: string;
}

/** Something that somebody must see to before the audience notices. The show is the next one it concerns. */
export interface Alarm {
  connection_id: string;
  connector: string;
  name: string;
  kind: "login_dead" | "login_ends" | "key_ends" | "shop_silent" | "quota_low";
  sentence: string;
  /** When the login or key ends, or the allowance is whole again. */
  at: string | null;
  show_id: string | null;
  show_title: string | null;
  starts_at: string | null;
}

export interface Connector {
  name: string;
  title: string;
  capabilities: string[];
  /** Every capability in the same order for all connectors. */
  matrix: Ability[];
  limits: ConnectorLimits;
  /** Null where accounts are linked by keys alone. */
  consent: ConsentForm | null;
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

/** `gone`: this version no longer has the connector; the account can be unlinked. */
export type ConnectionState = "ok" | "reconnect" | "off" | "gone";

export interface Connection {
  id: string;
  connector: string;
  title: string;
  name: string;
  state: ConnectionState;
  reason: string | null;
  capabilities: string[];
  token_expires_at: string | null;
  /** The login is renewed by itself before it ends. */
  renews: boolean;
  /** Whom the platform says this is; null for what was pasted. */
  account: { id: string; detail: string; picture_url: string | null } | null;
  /** Its app's credentials are here: one press reconnects it. */
  app_known: boolean;
  /** What else is set for an account linked by consent; secrets are left out. */
  settings: Record<string, unknown>;
  key_entered_at: string | null;
  /** When the stream key that a person entered is no longer good. */
  key_ends_at: string | null;
  budget: Budget | null;
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
  /** Called off before it began; its state is "ended". */
  cancelled: boolean;
}

/** What platforms are told besides the texts; null: as the connection or the platform has it. */
export interface ShowDetails {
  privacy: "public" | "unlisted" | "private";
  latency: "normal" | "low" | "ultra_low" | null;
  made_for_kids: boolean | null;
  category: string | null;
  tags: string[];
  language: string | null;
  picture_asset: string | null;
}

/** What is not named stays; null takes back what may be absent. */
export type ShowChange = Partial<
  ShowDetails &
    StockRules & { title: string; description: string; starts_at: string | null; viewers_shown: boolean }
>;

/** What one target would show. Null: its platform has no such text. `notes`: what is cut, or not told. */
export interface TargetTexts {
  target_id: string;
  title: string | null;
  description: string | null;
  tags: string[];
  title_limit: number | null;
  description_limit: number | null;
  notes: string[];
}

export interface NewShow {
  title: string;
  description?: string;
  slug?: string;
  starts_at?: string;
  product_ids?: string[];
  target_connection_ids?: string[];
  hold_policy?: StockRules["hold_policy"];
  hold_seconds?: number | null;
  units_per_buyer?: number;
  units_per_network?: number;
  viewers_shown?: boolean;
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
  protocol?: "rtmp" | "srt" | "whip" | "source";
  /** Pictures the encoder left out, by its own clock. */
  frames_missing?: number;
  /** Sound later than picture (positive). */
  drift_ms?: number;
}

/** Nobody sends; `reason` says why the encoder left, when it just did. */
export interface NoIngest {
  publishing?: false;
  reason?: string | null;
}

export type TargetState = "idle" | "connecting" | "live" | "retrying" | "paused" | "failed";

/** How the feed is taken, and what goes into encoders besides server and key. */
export interface Feed {
  /** Of the hot standby; null for a show that has none yet. */
  backup_key: string | null;
  /** The whole address, with the key (and the passphrase) in it. */
  srt_url: string | null;
  srt_passphrase: string | null;
  takeover: "newest" | "refuse";
  failback: "sticky" | "return";
  grace_seconds: number;
  slate_text: string;
  slate_asset: string | null;
  recording: boolean;
  /** What plays when no encoder sends; its addresses are never told. */
  source: { kind: SourceKind; count: number; loop: boolean } | null;
  /** Wants the stream key as bearer token. */
  whip_url: string | null;
}

export type SourceKind = "pull" | "file" | "playlist" | "pattern";

/** Without addresses, a source of the same kind keeps those it has. */
export interface NewSource {
  kind: SourceKind;
  addresses?: string[];
  loop: boolean;
}

export type FeedChange = Partial<
  Pick<Feed, "takeover" | "failback" | "grace_seconds" | "slate_text" | "slate_asset" | "recording">
> & { srt_encrypted?: boolean; source?: NewSource | null };

export type Anchor =
  | "top-left"
  | "top"
  | "top-right"
  | "left"
  | "centre"
  | "right"
  | "bottom-left"
  | "bottom"
  | "bottom-right";

/** Something drawn over the picture; `width` is a share of the picture's width. */
export type Layer = { anchor?: Anchor; width?: number; margin?: number } & (
  | { kind: "picture"; asset: string }
  | { kind: "text"; text: string }
  | { kind: "qr"; text: string }
  | { kind: "card"; title: string; price: string; asset?: string | null }
);

/** One re-encoding of the feed. `crop_x` and `layers` change without a new encoder. */
export interface Profile {
  name: string;
  width: number;
  height: number;
  fit: "letterbox" | "crop" | "blur";
  /** 0 left to 1 right. */
  crop_x: number;
  fps: number | null;
  video_kbps: number;
  keyframe_seconds: number;
  audio_kbps: number;
  audio_rate: 44_100 | 48_000 | null;
  layers: Layer[];
}

/** What the chosen profiles cost. `refused`: profile → why it will not run. */
export interface Plan {
  cores: number;
  wanted_cores: number;
  costs: Record<string, number>;
  refused: Record<string, string>;
}

export interface Finding {
  code: string;
  severity: "info" | "warning" | "alarm";
  sentence: string;
  /** The target it concerns; null: everybody. */
  target: string | null;
  since: string;
}

export interface EncoderState {
  profile: string;
  state: "idle" | "starting" | "running" | "starved" | "retrying" | "refused";
  reason: string | null;
  cost_cores: number;
  speed: number | null;
  restarts: number;
}

export type OnAir = "primary" | "backup" | "slate" | "nothing";

/** The media worker's last word on the show. */
export interface Health {
  on_air: OnAir;
  backup: Ingest | null;
  encoders: EncoderState[];
  plan: Plan | null;
  /** The ladder of our own player; none before the feed is known. */
  rungs?: Rung[];
  findings: Finding[];
  recording: {
    state: "off" | "waiting" | "recording" | "stopped";
    reason: string | null;
    seconds: number;
    bytes: number;
  };
  /** By target id; `player` is our own watch page. */
  delays: Record<string, { ms: number; way: "sent" | "acknowledged" | "platform" | "player" }>;
}

/** The feed at one moment; null: not known. */
export interface HealthSample {
  at: string;
  video_kbps: number | null;
  audio_kbps: number | null;
  /** By our clock, not by the encoder's. */
  arrival_kbps: number | null;
  fps: number | null;
  /** Later than the feed's earliest frame. */
  late_ms: number | null;
}

/** One file of a show's recording; a new one begins with every change of codec or size. */
export interface RecordedFile {
  name: string;
  begins_at: string;
  seconds: number;
  bytes: number;
  video_codec: string | null;
  audio_codec: string | null;
  width: number | null;
  height: number | null;
}

/** It begins at the keyframe at or before what was asked for: `begins_s` into the show. */
export interface Clip {
  name: string;
  url: string;
  begins_at: string;
  ends_at: string;
  begins_s: number | null;
  seconds: number;
  bytes: number;
}

/** Where an upload is measured, and the token that opens it. */
export interface Uplink {
  url: string;
  token: string;
}

/** A place that is nothing but an address and a key, as far as it is known beforehand. */
export interface TargetPreset {
  platform: string;
  title: string;
  url: string;
  example: string;
  help: string;
  key_help: string;
  vertical: boolean;
}

export interface CustomAddress {
  name: string;
  url: string;
  key: string;
  passphrase?: string;
  platform: string;
}

export type NewTarget = { connection_id: string } | { custom: CustomAddress; profile?: string | null };

/** What is not named stays. An address or a key takes effect at once. */
export interface TargetChange {
  wanted?: boolean;
  name?: string;
  url?: string;
  key?: string;
  passphrase?: string;
  profile?: string | null;
  backup_wanted?: boolean;
  /** For this platform alone; null: the show's. */
  title?: string | null;
  description?: string | null;
}

/**
 * All of a target's states in one word. Before the show: off, ready, planned (announced). While it is live:
 * opening, created (waits for our push), connecting, waiting (pushed, not seen yet), starting (seen, not on
 * air), live on the platform, retrying, failed. After it: ending, ended, by_hand (a person must end it there).
 */
export type Stage =
  | "off"
  | "ready"
  | "planned"
  | "opening"
  | "created"
  | "connecting"
  | "waiting"
  | "starting"
  | "live"
  | "retrying"
  | "failed"
  | "ending"
  | "ended"
  | "by_hand";

export interface Target {
  id: string;
  name: string;
  connector: string;
  /** What stands behind an address of its own; else the connector's name. */
  platform: string;
  connection_id: string;
  wanted: boolean;
  state: TargetState;
  reason: string | null;
  next_try_at: string | null;
  since: string;
  watch_url: string | null;
  platform_state: string | null;
  stage: Stage;
  /** What a person must do on the platform itself. */
  todo: string | null;
  /** What it is called there when that is not the show's. */
  title: string | null;
  description: string | null;
  /** Whether the platform has the texts; null: nothing was to be told. */
  details_state: "waiting" | "applied" | "refused" | null;
  details_reason: string | null;
  /** The platform's own count; null: untold. */
  viewers: number | null;
  viewers_peak: number | null;
  reactions: number | null;
  /** The platform's word on what it receives. */
  ingest_state: "good" | "fair" | "bad" | "nothing" | null;
  ingest_issues: string[];
  key_expires_at: string | null;
  /** Null: the feed as it is. */
  profile: string | null;
  plan: "steady" | "twitch" | "youtube" | "facebook" | "single_use";
  /** Address and key were entered by a person, and may be changed. */
  own_address: boolean;
  /** The platform has a second entrance. */
  backup_offered: boolean;
  backup_wanted: boolean;
  backup_state: TargetState | null;
  backup_reason: string | null;
  bytes_sent: number;
  bytes_acknowledged: number;
  frames_sent: number;
  frames_dropped: number;
  connects: number;
  /** Times it stopped being live while it should have been. */
  gaps: number;
  seconds_wanted: number;
  seconds_live: number;
  /** Taken out of the show; told of an ended show only. */
  removed: boolean;
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
  /** Passed on from another platform, or what we said ourselves. */
  purpose: "reply" | "relay";
  /** When it goes out, where the platform's limit makes it wait. */
  due_at: string | null;
}

/** A chat message as the viewers get it. `kind` is "text" unless it is a gift, a join and the like. */
export interface Message {
  id: string;
  seq: number;
  platform: string;
  target_id: string | null;
  /** The platform's own; `reply_to` of another message may name it. */
  external_id: string;
  author_name: string | null;
  author_picture: string | null;
  badges: Badge[];
  text: string;
  /** The text in pieces; empty when it is mere text. */
  fragments: Fragment[];
  /** "gap": messages from `at` to `received_at` may be missing. */
  kind: string;
  amount_minor: number | null;
  currency: string | null;
  reply_to: string | null;
  at: string;
  received_at: string;
  show_time_ms: number | null;
  deleted: boolean;
  outgoing: boolean;
  /** We took it from the viewers; staff still see it. */
  hidden: boolean;
  staff_only: boolean;
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
  show: ShowSummary & {
    description: string;
    details: ShowDetails;
    stock_rules: StockRules;
    /** Whether the watch page says how many watch. */
    viewers_shown: boolean;
    ingest: IngestAddress;
    feed: Feed;
    watch_url: string;
  };
  ingest: Ingest | null;
  health: Health | null;
  profiles: Profile[];
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

/**
 * An answer goes to its message's own platform, unless `to` says more; `aloud`: as an announcement.
 * `key`: random; sent again with the same one, it is said once.
 */
export interface NewMessage {
  text: string;
  to?: Recipients;
  answers?: string;
  aloud?: boolean;
  key?: string;
}

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
  /** It was sold out while this page was open, and is there again. */
  back?: boolean;
}

/** A product as it is since somebody edited it; null: off sale. */
export interface ProductNews {
  product_id: string;
  product: Omit<PublicProduct, "highlighted"> | null;
}

export interface PublicProduct {
  id: string;
  title: string;
  description: string;
  image_url: string | null;
  highlighted: boolean;
  variants: PublicVariant[];
}

/** Where and how a show is played. All but `hls_url` may be missing: a hub that knows only LL-HLS says no more. */
export interface PublicPlayback {
  hls_url: string | null;
  mode?: "balanced" | "interactive";
  whep_url?: string | null;
  /** From the show's beginning; after the end, its replay. */
  dvr_url?: string | null;
  chapters_url?: string | null;
  /** The show has ended, and `hls_url` and `dvr_url` are its recording. */
  replay?: boolean;
  /** Live, but nobody publishes. */
  paused?: boolean;
  poster_url?: string | null;
  ice_servers?: { urls: string | string[]; username?: string; credential?: string }[];
  /** The token in the addresses runs out then: ask for this document again before. */
  renew_at?: string | null;
  beacon_url?: string | null;
}

/** A moment of the show, as `chapters_url` lists it; seconds from the start of the programme. */
export interface Chapter {
  id: string;
  kind: string;
  title: string;
  reference: string;
  begins_at: number;
  ends_at: number | null;
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
    /** `first_paid`: a press of Buy reserves nothing, the payment step does. */
    hold_policy?: "hold" | "first_paid" | "hybrid";
    /** False: the page keeps to itself how many watch. */
    viewers_shown?: boolean;
  };
  /** Private: for those who were given a link, and none came along, or one that is no good. */
  access?: "open" | "private";
  /** A sentence for who may not watch. */
  access_reason?: string | null;
  /** The picture before the first frame; also before there is anything to play. */
  poster_url?: string | null;
  /** Null unless there is something to play: the show is live, or has ended and left a replay. */
  playback: PublicPlayback | null;
  gateway: { url: string };
  viewer_token: string;
  viewer_id: string;
  /** This browser keeps the viewer's cookie. */
  visitor_kept?: boolean;
  server_time: string;
  products: PublicProduct[];
  messages: Message[];
  /** Where there were more messages than can be read; filled by news. */
  skipped?: Skipped[];
  seq: number;
  /** Null when the brand has linked no payment account; `test_source` is a test account's test card. */
  payment: { gateway: string; test_source: string | null } | null;
  offers?: ViewerOffer[];
  /** Who is signed in; the rest is at `/me`. */
  shopper?: { name: string; member: boolean } | null;
  /** Scripts that may be loaded once the viewer agrees. */
  pixels?: PublicPixel[];
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

/* ---- what the gateway sends ---- */

export interface EventData {
  hello: { seq: number; server_time: string; viewers: number };
  "message.added": Message;
  "message.deleted": { ids: string[] };
  "message.hidden": { ids: string[] };
  "message.shown": { ids: string[]; messages: Message[] };
  /** For viewers, who are not told every message of a storm. */
  "messages.skipped": Skipped;
  "moderation.changed": Action;
  "relay.dropped": { target_id: string; dropped: number };
  "delivery.changed": { message_id: string; delivery: Delivery };
  /** Until it is opened, only the show's snapshot knows how long its key is good. */
  "target.changed": Omit<Target, "link_url" | "key_expires_at"> & Partial<Pick<Target, "key_expires_at">>;
  "target.removed": { id: string };
  "health.changed": Health;
  "ingest.changed": Ingest | NoIngest;
  "ingest.refused": { reason: string | null };
  "chat.changed": ChatSource;
  "playback.changed": { playable: boolean };
  /**
   * Staff hear all the counters, viewers what is available. An older `version` than the last one is stale.
   * What runs low, is sold out or is back has another `state` than before; there is no other news of it.
   */
  "stock.changed": {
    variant_id: string;
    available: number;
    version: number;
    state?: "in_stock" | "low" | "sold_out";
  } & Partial<Stock>;
  "product.highlighted": { product_id: string | null };
  "product.changed": ProductNews;
  /** An offer was launched or has ended. */
  "offer.changed": PublicOffer;
  "offer.counted": OfferCount;
  "show.changed": Pick<
    ShowSummary,
    "state" | "cancelled" | "title" | "starts_at" | "live_at" | "ended_at"
  > & { description: string; viewers_shown?: boolean };
  "order.placed": ShowOrder;
  "sales.changed": Sales;
  "order.changed": {
    order_id: string;
    viewer_id: string | null;
    number: string;
    state: OrderState;
    message: string;
  };
  /** Staff read their list of claims again. */
  "claims.changed": Record<string, never>;
  /** What became of a claim in our own chat: to its viewer alone. */
  "claim.answered": {
    viewer_id: string;
    state: ClaimState;
    detail: string;
    hold_id: string | null;
    expires_at: string | null;
  };
  /** To a viewer who waited: one is reserved for them now. */
  "waitlist.offered": { viewer_id: string; variant_id: string; hold_id: string; expires_at: string };
  "viewers.changed": { count: number };
  "alarms.changed": Record<string, never>;
  gap: Record<string, never>;
  /** The gateway goes away: come back at a random moment within so much time. */
  closing: { within_ms: number };
  /** The answer to a ping. */
  pong: Record<string, never>;
  /** All of the page's frame `n` of events is kept, but for some that made no sense. */
  kept: { n: number; refused: number };
  /** It is not: send it again after so long. */
  later: { n: number | null; seconds: number };
}

/** What a page may say that its viewer did; all else is the gateway's to say. */
export type ToldKind =
  | "heartbeat"
  | "product_view"
  | "product_click"
  | "cart_add"
  | "checkout_step"
  | "reaction"
  | "poll"
  | "stall"
  | "leave";

/** One of them, as docs/events.md describes it. */
export interface Told {
  /** A UUIDv7. */
  id: string;
  kind: ToldKind;
  ago_ms?: number;
  visit?: string;
  product_id?: string;
  variant_id?: string;
  offer_id?: string;
  quantity?: number;
  data?: Record<string, string | number | boolean | null>;
}

export type EventKind = keyof EventData;

export type GatewayEvent = {
  [K in EventKind]: { kind: K; seq: number | null; data: EventData[K] };
}[EventKind];
