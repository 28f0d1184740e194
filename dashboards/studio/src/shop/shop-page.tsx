import "../products/products.css";
import "./shop.css";
import { SettingsApi } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { CHECKOUT_SETTINGS } from "../cache";
import { linkTo, PATHS } from "../navigation";
import { TERMS, useOrders } from "../orders/use-orders";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { CheckoutForm } from "./checkout-form";
import { LegalForm } from "./legal-form";

/** What holds for every order: how it is delivered and taxed, and what its papers say. */
export function ShopPage({ currency }: { currency: string }) {
  const settings = useMemo(() => new SettingsApi(), []);
  const orders = useOrders();
  const checkout = useQuery({ queryKey: CHECKOUT_SETTINGS, queryFn: ({ signal }) => settings.checkout(signal) });
  const terms = useQuery({ queryKey: TERMS, queryFn: ({ signal }) => orders.terms(signal) });
  return (
    <div className="page stack">
      <title>Shop · Studio</title>
      <div className="row spread">
        <h1>Shop</h1>
        <a {...linkTo(PATHS.privacy)}>Privacy and members</a>
      </div>
      {checkout.isPending && <Loading what="delivery and taxes" />}
      {checkout.error && <Problem error={checkout.error} retry={() => void checkout.refetch()} />}
      {checkout.data && <CheckoutForm api={settings} settings={checkout.data} currency={currency} />}
      {terms.isPending && <Loading what="your legal details" />}
      {terms.error && <Problem error={terms.error} retry={() => void terms.refetch()} />}
      {terms.data && <LegalForm api={orders} terms={terms.data} currency={currency} />}
    </div>
  );
}
