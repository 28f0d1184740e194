import { TextField } from "../parts/text-field";

interface Props<Row extends Record<string, string>> {
  title: string;
  add: string;
  rows: Row[];
  blank: Row;
  fields: { name: keyof Row & string; label: string; placeholder: string; upper?: boolean }[];
  problemOf: (index: number) => string | undefined;
  onChange: (rows: Row[]) => void;
}

/** A short list of pairs, such as options with their values. */
export function Rows<Row extends Record<string, string>>(props: Props<Row>) {
  const { title, add, rows, blank, fields, problemOf, onChange } = props;
  return (
    <fieldset className="stack tight plain-fieldset">
      <legend className="legend">{title}</legend>
      {rows.map((row, index) => (
        <div key={index} className="pair">
          {fields.map((field, place) => (
            <TextField
              key={field.name}
              label={field.label}
              placeholder={field.placeholder}
              maxLength={80}
              problem={place === 0 ? problemOf(index) : undefined}
              value={row[field.name] ?? ""}
              onText={(text) =>
                onChange(rows.with(index, { ...row, [field.name]: field.upper ? text.toUpperCase() : text }))
              }
            />
          ))}
          <button
            type="button"
            className="small"
            aria-label={`Remove number ${index + 1} of ${title.toLowerCase()}`}
            onClick={() => onChange(rows.toSpliced(index, 1))}
          >
            Remove
          </button>
        </div>
      ))}
      <div className="row">
        <button type="button" className="small" onClick={() => onChange([...rows, blank])}>
          {add}
        </button>
      </div>
    </fieldset>
  );
}
