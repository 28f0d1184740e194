import "./products.css";
import { type CatalogProduct, type CatalogVariant, formatMoney } from "@simulcast/api";
import { useState } from "react";
import { linkTo, PATHS } from "../navigation";
import { Pill } from "../parts/pill";
import { AdjustStock } from "./adjust-stock";
import { Counts } from "./counts";
import { limitsOf, STATES } from "./product-words";
import { Refusals } from "./refusals";

export function ProductCard({ product }: { product: CatalogProduct }) {
  const [adjusted, setAdjusted] = useState<CatalogVariant | null>(null);
  const state = STATES[product.state];
  return (
    <li className="card product">
      {product.image_url ? <img className="product-picture" src={product.image_url} alt="" /> : null}
      <div className="product-body stack">
        <div className="row spread">
          <div className="row">
            <h2 className="wrap">
              <a {...linkTo(PATHS.product(product.id))}>{product.title}</a>
            </h2>
            {product.state !== "active" && <Pill tone={state.tone}>{state.label}</Pill>}
            {limitsOf(product).map((word) => (
              <Pill key={word} tone="busy">
                {word}
              </Pill>
            ))}
          </div>
        </div>
        <ul className="stack">
          {product.variants.map((variant) => (
            <li key={variant.id} className="stack tight">
              <div className="row spread">
                <span className="wrap">
                  {variant.title && <strong>{variant.title} </strong>}
                  <span className="quiet-text">
                    SKU {variant.sku}, {formatMoney(variant.price_minor, variant.currency)}
                    {variant.archived && ", archived"}
                    {variant.components.length > 0 && ", bundle"}
                  </span>
                </span>
                {variant.components.length === 0 && (
                  <button
                    type="button"
                    className="small"
                    aria-label={`Adjust stock of ${variant.sku}`}
                    onClick={() => setAdjusted(variant)}
                  >
                    Adjust stock
                  </button>
                )}
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
