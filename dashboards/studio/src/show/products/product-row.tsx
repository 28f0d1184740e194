import { formatMoney, type ShowProduct } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { memo } from "react";
import { useApi } from "../../api";
import { Problem } from "../../parts/problem";
import { Counts } from "../../products/counts";
import { Refusals } from "../../products/refusals";

interface Props {
  showId: string;
  product: ShowProduct;
  canShow: boolean;
}

/** A product with its live stock; one tap puts it on every viewer's screen. */
export const ProductRow = memo(function ProductRow({ showId, product, canShow }: Props) {
  const api = useApi();
  const highlight = useMutation({
    mutationFn: () => api.highlight(showId, product.highlighted ? null : product.id),
  });
  return (
    <li>
      <div className="row nowrap">
        {product.image_url ? <img className="thumb" src={product.image_url} alt="" /> : null}
        <strong className="grow wrap">{product.title}</strong>
        {canShow && (
          <button
            type="button"
            className="small highlight"
            aria-pressed={product.highlighted}
            aria-label={`Highlight ${product.title}`}
            disabled={highlight.isPending}
            onClick={() => highlight.mutate()}
          >
            Highlight
          </button>
        )}
      </div>
      {product.variants.map((variant) => (
        <div key={variant.id} className="stack tight" data-testid={`stock-${variant.sku}`}>
          <p className="quiet-text wrap">
            {variant.title && `${variant.title}, `}
            {variant.sku}, {formatMoney(variant.price_minor, variant.currency)}
          </p>
          <Counts stock={variant.stock} />
          <Refusals variant={variant} />
        </div>
      ))}
      <Problem error={highlight.error} />
    </li>
  );
});
