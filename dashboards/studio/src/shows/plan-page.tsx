import { useQuery } from "@tanstack/react-query";
import { useApi } from "../api";
import { CONNECTIONS, PRODUCTS } from "../cache";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { PlanForm } from "./plan-form";

/** The form appears with what it offers, so that nobody plans a show without its products by haste. */
export function PlanPage() {
  const api = useApi();
  const products = useQuery({ queryKey: PRODUCTS, queryFn: ({ signal }) => api.products(signal) });
  const connections = useQuery({ queryKey: CONNECTIONS, queryFn: ({ signal }) => api.connections(signal) });
  const error = products.error ?? connections.error;
  const retry = () => {
    void products.refetch();
    void connections.refetch();
  };
  return (
    <div className="page stack">
      <title>Plan a show · Studio</title>
      <h1>Plan a show</h1>
      {error && <Problem error={error} retry={retry} />}
      {!error && (products.isPending || connections.isPending) && <Loading what="products and accounts" />}
      {products.data && connections.data && (
        <PlanForm
          products={products.data}
          places={connections.data.filter((one) => one.capabilities.includes("destination"))}
        />
      )}
    </div>
  );
}
