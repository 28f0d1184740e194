import type { CohortLeaf } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useApi } from "../api";
import { PRODUCTS } from "../cache";
import { CheckField } from "../parts/check-field";
import { SelectField } from "../parts/select-field";
import { TextField } from "../parts/text-field";
import { LEAVES, type Row } from "./cohort-words";
import { BY, OFFER_KINDS } from "./figure-words";

interface Props {
  row: Row;
  onRow: (row: Row) => void;
  onRemove: () => void;
}

/** One condition: what they did, and whether it must be so or must not. */
export function ConditionField({ row, onRow, onRemove }: Props) {
  const { leaf } = row;
  const fresh = (kind: string) => LEAVES.find((one) => one.value === kind)?.fresh ?? leaf;
  return (
    <li className="condition">
      <SelectField
        label="People who"
        value={row.not ? "not" : "so"}
        options={[
          { value: "so", title: "did this" },
          { value: "not", title: "did not do this" },
        ]}
        onChoose={(so) => onRow({ ...row, not: so === "not" })}
      />
      <SelectField
        label="What"
        value={leaf.kind}
        options={LEAVES.map(({ value, title }) => ({ value, title }))}
        onChoose={(kind) => onRow({ ...row, leaf: fresh(kind) })}
      />
      <Details leaf={leaf} onLeaf={(changed) => onRow({ ...row, leaf: changed })} />
      <button type="button" className="small" onClick={onRemove}>
        Remove
      </button>
    </li>
  );
}

function Details({ leaf, onLeaf }: { leaf: CohortLeaf; onLeaf: (leaf: CohortLeaf) => void }) {
  switch (leaf.kind) {
    case "chatted":
      return (
        <>
          <CheckField
            label="Only questions"
            checked={leaf.questions}
            onCheck={(questions) => onLeaf({ ...leaf, questions })}
          />
          <TextField
            label="In the first minutes"
            type="number"
            min={1}
            placeholder="The whole show"
            value={leaf.first_minutes === null ? "" : String(leaf.first_minutes)}
            onText={(text) => onLeaf({ ...leaf, first_minutes: text ? whole(text) : null })}
          />
        </>
      );
    case "came_from":
      return (
        <>
          <SelectField
            label="By"
            value={leaf.by}
            options={BY}
            onChoose={(by) => onLeaf({ ...leaf, by: by as typeof leaf.by })}
          />
          <TextField
            label="Called"
            placeholder="youtube"
            value={leaf.value}
            onText={(value) => onLeaf({ ...leaf, value })}
          />
        </>
      );
    case "watched":
      return (
        <TextField
          label="Minutes at least"
          type="number"
          min={1}
          value={String(leaf.minutes || "")}
          onText={(text) => onLeaf({ ...leaf, minutes: whole(text) })}
        />
      );
    case "viewed":
      return <ProductField id={leaf.product_id} onId={(product_id) => onLeaf({ ...leaf, product_id })} />;
    case "bought":
      return (
        <SelectField
          label="In which offer"
          value={leaf.offer_kind ?? ""}
          options={[
            { value: "", title: "Any or none" },
            ...Object.entries(OFFER_KINDS).map(([value, title]) => ({ value, title })),
          ]}
          onChoose={(kind) => onLeaf({ ...leaf, offer_kind: kind || null })}
        />
      );
    case "bought_again":
      return (
        <TextField
          label="Within days"
          type="number"
          min={1}
          value={String(leaf.days || "")}
          onText={(text) => onLeaf({ ...leaf, days: whole(text) })}
        />
      );
    default:
      return null;
  }
}

function whole(text: string): number {
  return Math.max(0, Math.floor(Number(text)) || 0);
}

function ProductField({ id, onId }: { id: string; onId: (id: string) => void }) {
  const api = useApi();
  const products = useQuery({ queryKey: PRODUCTS, queryFn: ({ signal }) => api.products(signal) });
  const options = (products.data ?? []).map((product) => ({ value: product.id, title: product.title }));
  return (
    <SelectField
      label="Product"
      value={id}
      options={[{ value: "", title: "Choose a product" }, ...options]}
      onChoose={onId}
    />
  );
}
