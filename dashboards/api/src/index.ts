/** The hub's API for the pages: HTTP, gateway, types, and how money and time are written. */

export { backoffDelay, type Backoff } from "./backoff";
export type * from "./cart";
export { CatalogApi, LISTINGS_AT_ONCE } from "./catalog";
export type * from "./catalog";
export type * from "./chat";
export { CheckoutApi, noAddress, OrderStatusApi } from "./checkout";
export { countdown, secondsLeft, ServerClock } from "./clock";
export { ShowFollower, type FollowerOptions, type Phase } from "./follower";
export { GatewayClient, type GatewayOptions, type GatewayState, type Socket } from "./gateway";
export { ApiError, type Fetch, type Problem } from "./http";
export { formatMoney } from "./money";
export * from "./offer-words";
export { OffersApi } from "./offers";
export type * from "./offers";
export { MyOrderApi, OrdersApi } from "./orders";
export type * from "./orders";
export { PaymentsApi } from "./payments";
export type * from "./payments";
export type * from "./playback";
export { RiskApi } from "./risk";
export type * from "./risk";
export { ShopsApi } from "./shops";
export type * from "./shops";
export { StaffApi } from "./staff";
export type * from "./quality";
export type * from "./types";
export { ViewerApi } from "./viewer";
