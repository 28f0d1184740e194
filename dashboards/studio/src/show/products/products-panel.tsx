import type { ShowProduct, ShowState } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { memo, useMemo } from "react";
import { useApi } from "../../api";
import { PRODUCTS } from "../../cache";
import { withRefusals } from "../../products/refusal-words";
import { Panel } from "../panel";
import { ProductRow } from "./product-row";

const READ_AGAIN_MS = 20_000;

interface Props {
  showId: string;
  state: ShowState;
  products: ShowProduct[];
}

export const ProductsPanel = memo(function ProductsPanel({ showId, state, products }: Props) {
  const api = useApi();
  const { data: newest } = useQuery({
    queryKey: PRODUCTS,
    queryFn: ({ signal }) => api.products(signal),
    refetchInterval: READ_AGAIN_MS,
  });
  const shown = useMemo(() => withRefusals(products, newest ?? []), [products, newest]);
  return (
    <Panel id="products" title="Products">
      {products.length === 0 && <p className="quiet-text">This show was planned without products.</p>}
      <ul className="lines">
        {shown.map((product) => (
          <ProductRow key={product.id} showId={showId} product={product} canShow={state !== "ended"} />
        ))}
      </ul>
    </Panel>
  );
});
