import type { CatalogVariant } from "@simulcast/api";
import { useState } from "react";
import { CheckField } from "../parts/check-field";
import { TextField } from "../parts/text-field";
import { AdjustStock } from "./adjust-stock";
import { minorOf } from "./amounts";
import { Counts } from "./counts";
import { PartsFields } from "./parts-fields";
import { PastPrices } from "./past-prices";
import type { VariantDraft } from "./product-draft";
import { marginOf } from "./product-words";
import { Refusals } from "./refusals";
import { Rows } from "./rows";

interface Props {
  variant: VariantDraft;
  /** As it is kept; undefined while it is new. */
  saved: CatalogVariant | undefined;
  /** Its place in `problems`. */
  at: string;
  problems: Record<string, string>;
  onChange: (variant: VariantDraft) => void;
  onRemove?: () => void;
}

export function VariantFields({ variant, saved, at, problems, onChange, onRemove }: Props) {
  const set = (part: Partial<VariantDraft>) => onChange({ ...variant, ...part });
  const { currency } = variant;
  const margin = marginOf(minorOf(variant.price, currency), minorOf(variant.cost, currency));
  const bundle = variant.parts.length > 0;
  const field = (name: "sku" | "title" | "price" | "cost" | "onHand") => ({
    value: variant[name],
    problem: problems[`${at}.${name}`],
    onText: (text: string) => set({ [name]: text }),
  });
  return (
    <section className="card stack" aria-label={variant.sku ? `Variant ${variant.sku}` : "New variant"}>
      <div className="row spread">
        <h2 className="wrap">{variant.sku ? `SKU ${variant.sku}` : "New variant"}</h2>
        {onRemove && (
          <button type="button" className="small" onClick={onRemove}>
            Remove
          </button>
        )}
      </div>
      {saved && <StockOf saved={saved} />}
      <div className="two">
        <TextField label="SKU" maxLength={64} {...field("sku")} />
        <TextField label="Variant's name" help="Like Red, M. Empty for the only one." {...field("title")} />
        <TextField label={`Price in ${currency}`} inputMode="decimal" {...field("price")} />
        <TextField
          label={`Cost in ${currency}`}
          help={margin ? `Margin ${margin} of the price. Viewers never see it.` : "Viewers never see it."}
          inputMode="decimal"
          {...field("cost")}
        />
        {!saved && !bundle && <TextField label="On hand" inputMode="numeric" {...field("onHand")} />}
      </div>
      <Rows
        title="Options"
        add="Add an option"
        rows={variant.options}
        blank={{ name: "", value: "" }}
        fields={[
          { name: "name", label: "Option", placeholder: "Colour" },
          { name: "value", label: "Value", placeholder: "Red" },
        ]}
        problemOf={(index) => (variant.options[index]?.name.trim() ? undefined : problems[`${at}.options`])}
        onChange={(options) => set({ options })}
      />
      <Rows
        title="Prices in other currencies"
        add="Add a currency"
        rows={variant.prices}
        blank={{ currency: "", price: "" }}
        fields={[
          { name: "currency", label: "Currency", placeholder: "USD", upper: true },
          { name: "price", label: "Price", placeholder: "29.90" },
        ]}
        problemOf={(index) => problems[`${at}.prices.${index}`]}
        onChange={(prices) => set({ prices })}
      />
      <PartsFields
        own={variant.id}
        parts={variant.parts}
        problemOf={(index) => problems[`${at}.parts.${index}`]}
        onChange={(parts) => set({ parts })}
      />
      {saved && <PastPrices variant={saved} />}
      {saved && (
        <CheckField
          label="Archived: not sold any more"
          checked={variant.archived}
          onCheck={(archived) => set({ archived })}
        />
      )}
    </section>
  );
}

function StockOf({ saved }: { saved: CatalogVariant }) {
  const [adjusting, setAdjusting] = useState(false);
  if (saved.components.length) {
    return <p className="quiet-text">A bundle: {saved.stock.available} can be made of what is free of its parts.</p>;
  }
  return (
    <div className="stack tight">
      <Counts stock={saved.stock} />
      <Refusals variant={saved} />
      <div className="row">
        <button type="button" className="small" onClick={() => setAdjusting(true)}>
          Adjust stock
        </button>
      </div>
      {adjusting && <AdjustStock product={saved.sku} variant={saved} onClose={() => setAdjusting(false)} />}
    </div>
  );
}
