import "./products.css";
import { formatMoney, type Product, type Variant } from "@simulcast/api";
import { useState } from "react";
import { AdjustStock } from "./adjust-stock";
import { Counts } from "./counts";
import { Refusals } from "./refusals";

export function ProductCard({ product }: { product: Product }) {
  const [adjusted, setAdjusted] = useState<Variant | null>(null);
  return (
    <li className="card product">
      {product.image_url ? <img className="product-picture" src={product.image_url} alt="" /> : null}
      <div className="product-body stack">
        <h2 className="wrap">{product.title}</h2>
        <ul className="stack">
          {product.variants.map((variant) => (
            <li key={variant.id} className="stack tight">
              <div className="row spread">
                <span className="wrap">
                  {variant.title && <strong>{variant.title} </strong>}
                  <span className="quiet-text">
                    SKU {variant.sku}, {formatMoney(variant.price_minor, variant.currency)}
                  </span>
                </span>
                <button
                  type="button"
                  className="small"
                  aria-label={`Adjust stock of ${variant.sku}`}
                  onClick={() => setAdjusted(variant)}
                >
                  Adjust stock
                </button>
              </div>
              <Counts stock={variant.stock} />
              <Refusals variant={variant} />
            </li>
          ))}
        </ul>
      </div>
      {adjusted && (
        <AdjustStock product={product.title} variant={adjusted} onClose={() => setAdjusted(null)} />
      )}
    </li>
  );
}
