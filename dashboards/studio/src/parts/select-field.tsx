import { useId } from "react";

interface Props {
  label: string;
  help?: string | undefined;
  value: string;
  options: { value: string; title: string }[];
  onChoose: (value: string) => void;
}

/** A labelled choice of one. */
export function SelectField({ label, help, value, options, onChoose }: Props) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        value={value}
        aria-describedby={help ? `${id}-help` : undefined}
        onChange={(event) => onChoose(event.target.value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.title}
          </option>
        ))}
      </select>
      {help && (
        <span className="quiet-text" id={`${id}-help`}>
          {help}
        </span>
      )}
    </div>
  );
}
