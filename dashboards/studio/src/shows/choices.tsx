import type { ReactNode } from "react";

interface Props {
  legend: string;
  note?: string;
  options: { id: string; title: string; detail: string }[];
  chosen: string[];
  onChoose: (ids: string[]) => void;
  empty: ReactNode;
}

/** Any number out of a list, in the list's order. */
export function Choices({ legend, note, options, chosen, onChoose, empty }: Props) {
  const toggle = (id: string) => {
    const kept = (other: string) => (other === id ? !chosen.includes(id) : chosen.includes(other));
    onChoose(options.map((option) => option.id).filter(kept));
  };
  return (
    <fieldset className="card">
      <legend className="visually-hidden">{legend}</legend>
      <div className="stack tight">
        <p className="legend" aria-hidden="true">
          {legend}
        </p>
        {note && <p className="quiet-text">{note}</p>}
        {options.length === 0 && <p className="quiet-text">{empty}</p>}
        <ul className="choices">
          {options.map(({ id, title, detail }) => (
            <li key={id}>
              <label className="check">
                <input type="checkbox" checked={chosen.includes(id)} onChange={() => toggle(id)} />
                <span>
                  {title} <span className="quiet-text">{detail}</span>
                </span>
              </label>
            </li>
          ))}
        </ul>
      </div>
    </fieldset>
  );
}
