import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../api";
import { PRODUCTS } from "../cache";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { AddProduct } from "./add-product";
import { ProductCard } from "./product-card";

export function ProductsPage({ currency }: { currency: string }) {
  const api = useApi();
  const products = useQuery({ queryKey: PRODUCTS, queryFn: ({ signal }) => api.products(signal) });
  const [adding, setAdding] = useState(false);
  const add = (
    <button type="button" className="primary" onClick={() => setAdding(true)}>
      Add a product
    </button>
  );
  return (
    <div className="page stack">
      <title>Products · Studio</title>
      <div className="row spread">
        <h1>Products</h1>
        {products.data?.length ? add : null}
      </div>
      {products.error && <Problem error={products.error} retry={() => void products.refetch()} />}
      {products.isPending && <Loading what="your products" />}
      {products.data?.length === 0 && (
        <Empty title="No products yet" action={add}>
          Add what you sell with its stock. All channels then sell from this one stock, and nothing is sold
          twice.
        </Empty>
      )}
      <ul className="stack">
        {products.data?.map((product) => (
          <ProductCard key={product.id} product={product} />
        ))}
      </ul>
      {adding && <AddProduct currency={currency} onClose={() => setAdding(false)} />}
    </div>
  );
}
