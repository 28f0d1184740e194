/** The hub's API for the pages: HTTP, gateway, types, and how money and time are written. */

export { backoffDelay, type Backoff } from "./backoff";
export type * from "./chat";
export { countdown, secondsLeft, ServerClock } from "./clock";
export { ShowFollower, type FollowerOptions, type Phase } from "./follower";
export { GatewayClient, type GatewayOptions, type GatewayState, type Socket } from "./gateway";
export { ApiError, type Fetch, type Problem } from "./http";
export { formatMoney } from "./money";
export type * from "./playback";
export { StaffApi } from "./staff";
export type * from "./quality";
export type * from "./types";
export { ViewerApi, type OrderRequest } from "./viewer";
