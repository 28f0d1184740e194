import type { ShowProduct, ShowState } from "@simulcast/api";
import { memo } from "react";
import { Panel } from "../panel";
import { ProductRow } from "./product-row";

interface Props {
  showId: string;
  state: ShowState;
  products: ShowProduct[];
}

export const ProductsPanel = memo(function ProductsPanel({ showId, state, products }: Props) {
  return (
    <Panel id="products" title="Products">
      {products.length === 0 && <p className="quiet-text">This show was planned without products.</p>}
      <ul className="lines">
        {products.map((product) => (
          <ProductRow key={product.id} showId={showId} product={product} canShow={state !== "ended"} />
        ))}
      </ul>
    </Panel>
  );
});
