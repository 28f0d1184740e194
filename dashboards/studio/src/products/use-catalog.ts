/** The catalogue as the screens reach it. */

import { CatalogApi, type CatalogProduct, type Intake } from "@simulcast/api";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { PRODUCTS } from "../cache";

/** Below PRODUCTS: whatever changes products makes all of it be read again. */
export const LISTINGS = [...PRODUCTS, "listings"];
export const listKey = (filter: object) => [...PRODUCTS, "list", filter];
export const productKey = (id: string) => [...PRODUCTS, "one", id];
export const pricesKey = (id: string) => [...PRODUCTS, "prices", id];
const EVERY_SKU = [...PRODUCTS, "skus"];

const ASK_EVERY_MS = 1_000;
const MOST_PRODUCTS = 1_000;

export function useCatalog(): CatalogApi {
  return useMemo(() => new CatalogApi(), []);
}

export interface Choice {
  id: string;
  sku: string;
  title: string;
  bundle: boolean;
}

/** Every variant on sale or in a draft, to choose from. */
export function useSkus() {
  const api = useCatalog();
  return useQuery({
    queryKey: EVERY_SKU,
    queryFn: ({ signal }) => api.products({}, null, MOST_PRODUCTS, signal),
    select: (products) => products.flatMap(choicesOf),
  });
}

function choicesOf(product: CatalogProduct): Choice[] {
  return product.variants
    .filter((variant) => !variant.archived)
    .map((variant) => ({
      id: variant.id,
      sku: variant.sku,
      title: variant.title ? `${product.title}, ${variant.title}` : product.title,
      bundle: variant.components.length > 0,
    }));
}

export function busy(intake: Intake | null | undefined): boolean {
  return intake?.state === "queued" || intake?.state === "running";
}

/** What `read` says of products coming in, asked again and again until they are in. */
export function useIntake(
  key: readonly unknown[],
  read: (signal: AbortSignal) => Promise<Intake | null>,
  enabled = true,
) {
  const cache = useQueryClient();
  const intake = useQuery({
    queryKey: ["intake", ...key],
    queryFn: ({ signal }) => read(signal),
    refetchInterval: (query) => (busy(query.state.data) ? ASK_EVERY_MS : false),
    enabled,
  });
  const ended = intake.data?.state === "done" ? intake.data.ended_at : null;
  useEffect(() => {
    if (ended) void cache.invalidateQueries({ queryKey: PRODUCTS });
  }, [cache, ended]);
  return intake;
}
