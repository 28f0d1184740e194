/** Orders as the screens reach them. */

import { OrdersApi, type OrderDetail } from "@simulcast/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";

export const ORDERS = ["orders"];
export const RETURNS = ["returns"];
export const TERMS = ["aftersale-terms"];

export const orderKey = (id: string) => ["order", id];

export function useOrders(): OrdersApi {
  return useMemo(() => new OrdersApi(), []);
}

/** Something done to an order: its answer is the order as it is now. */
export function useOrderChange<Wish>(act: (wish: Wish) => Promise<OrderDetail>, onDone: () => void) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: (order) => {
      cache.setQueryData(orderKey(order.id), order);
      void cache.invalidateQueries({ queryKey: ORDERS });
      void cache.invalidateQueries({ queryKey: RETURNS });
      onDone();
    },
  });
}

/** 128 random bits; crypto.randomUUID exists on https pages only. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}
