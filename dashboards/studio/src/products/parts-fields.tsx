import { SelectField } from "../parts/select-field";
import { TextField } from "../parts/text-field";
import type { VariantDraft } from "./product-draft";
import { useSkus } from "./use-catalog";

interface Props {
  /** The bundle itself, which can't be its own part. */
  own: string | null;
  parts: VariantDraft["parts"];
  problemOf: (index: number) => string | undefined;
  onChange: (parts: VariantDraft["parts"]) => void;
}

/** What a bundle is made of. */
export function PartsFields({ own, parts, problemOf, onChange }: Props) {
  const skus = useSkus();
  const choices = (skus.data ?? [])
    .filter((one) => one.id !== own && (!one.bundle || parts.some((part) => part.id === one.id)))
    .map((one) => ({ value: one.id, title: `${one.sku} · ${one.title}` }));
  return (
    <fieldset className="stack tight plain-fieldset">
      <legend className="legend">Bundle</legend>
      {parts.length === 0 && (
        <p className="quiet-text">Sold alone. Add parts, and it is a bundle: all of them together or none.</p>
      )}
      {parts.map((part, index) => (
        <div key={index} className="pair">
          <SelectField
            label={`Part ${index + 1}`}
            value={part.id}
            options={[{ value: "", title: "Choose a SKU" }, ...choices]}
            onChoose={(id) => onChange(parts.with(index, { ...part, id }))}
          />
          <TextField
            label="How many"
            inputMode="numeric"
            problem={problemOf(index)}
            value={part.quantity}
            onText={(quantity) => onChange(parts.with(index, { ...part, quantity }))}
          />
          <button
            type="button"
            className="small"
            aria-label={`Remove part ${index + 1}`}
            onClick={() => onChange(parts.toSpliced(index, 1))}
          >
            Remove
          </button>
        </div>
      ))}
      <div className="row">
        <button
          type="button"
          className="small"
          onClick={() => onChange([...parts, { id: "", quantity: "1" }])}
        >
          Add a part
        </button>
      </div>
    </fieldset>
  );
}
