/** Which screen the address names. Every screen can be bookmarked, shared and gone back to. */

import { type MouseEvent, useSyncExternalStore } from "react";

export type Page =
  | { name: "channels" | "cohorts" | "benefits" }
  | { name: "shows" | "plan" | "connections" | "products" | "missing" }
  | { name: "conversions" }
  | { name: "links" }
  | { name: "privacy" | "invite" }
  | { name: "people" }
  | { name: "person"; id: string }
  | { name: "orders" | "listings" | "payments" | "review" | "shop" }
  | { name: "show" | "order" | "product"; id: string };

const ROOT = "/studio";

export const PATHS = {
  shows: ROOT,
  plan: `${ROOT}/shows/new`,
  connections: `${ROOT}/connections`,
  conversions: `${ROOT}/conversions`,
  payments: `${ROOT}/payments`,
  products: `${ROOT}/products`,
  show: (id: string) => `${ROOT}/shows/${id}`,
  product: (id: string) => `${ROOT}/products/${id}`,
  listings: `${ROOT}/products/listings`,
  links: `${ROOT}/links`,
  linksOf: (showId: string) => `${ROOT}/links?show=${showId}`,
  people: `${ROOT}/people`,
  person: (id: string) => `${ROOT}/people/${id}`,
  orders: `${ROOT}/orders`,
  channels: `${ROOT}/channels`,
  cohorts: `${ROOT}/channels/cohorts`,
  benefits: `${ROOT}/channels/benefits`,
  privacy: `${ROOT}/privacy`,
  review: `${ROOT}/review`,
  shop: `${ROOT}/shop`,
  order: (id: string) => `${ROOT}/orders/${id}`,
};

export function pageOf(path: string): Page {
  const [first = "", second = "", ...rest] = path.slice(ROOT.length).split("/").filter(Boolean);
  if (rest.length) return { name: "missing" };
  if (first === "shows" && second) return second === "new" ? { name: "plan" } : { name: "show", id: second };
  if (first === "channels" && (second === "cohorts" || second === "benefits")) return { name: second };
  if (first === "people") return second ? { name: "person", id: second } : { name: "people" };
  if (first === "orders") return second ? { name: "order", id: second } : { name: "orders" };
  if (first === "products" && second) {
    return second === "listings" ? { name: "listings" } : { name: "product", id: second };
  }
  if (second) return { name: "missing" };
  if (first === "" || first === "shows") return { name: "shows" };
  if (first === "channels") return { name: first };
  if (first === "connections" || first === "products") return { name: first };
  if (first === "privacy" || first === "invite") return { name: first };
  if (first === "links" || first === "conversions") return { name: first };
  if (first === "payments" || first === "review" || first === "shop") return { name: first };
  return { name: "missing" };
}

export function go(path: string): void {
  history.pushState(null, "", path);
  scrollTo(0, 0);
  dispatchEvent(new PopStateEvent("popstate"));
}

export function usePath(): string {
  return useSyncExternalStore(
    (heard) => {
      addEventListener("popstate", heard);
      return () => removeEventListener("popstate", heard);
    },
    () => location.pathname,
  );
}

/** Props of a link that changes the screen without loading the page again. */
export function linkTo(path: string) {
  return {
    href: path,
    onClick: (event: MouseEvent) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return;
      event.preventDefault();
      go(path);
    },
  };
}
